import { spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { Moved } from "../../src/app/move/move.ts";
import type { Move } from "../../src/lab/moves.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { prepareProgram, PROGRAM, type Ended } from "../sandbox.ts";
import { createSshHost, fileOn, serveSsh, wire, type SshHost } from "../ssh-hosts.ts";

const HERE = "10.212.0.1";
const THERE = "10.212.0.2";
const HOST = `ssh://root@${THERE}`;
const FAR = `ssh://root@10.214.0.2`;

/** Answers HTTP on port 80, and says again what it hears on port 7. */
const SERVER = `
use IO::Socket::INET; use IO::Select; $SIG{CHLD} = "IGNORE"; $| = 1;
my %ports = map { fileno($_) => $_->sockport } my @listen =
  map { IO::Socket::INET->new(LocalPort => $_, Listen => 50, ReuseAddr => 1) or die } (80, 7);
while (my @ready = IO::Select->new(@listen)->can_read) { for my $s (@ready) {
  my $c = $s->accept or next; if (fork) { close $c; next } $c->autoflush(1);
  if ($s->sockport == 7) { while (<$c>) { print $c $_ } exit }
  while (<$c>) { last if /^\\r?\\n/ }
  print $c "HTTP/1.0 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\npage\\n"; exit
} }`;

/** `lan` reaches the wire that both hosts are on; `inner` ends at the host. */
const lab = (name: string, platform: string, net: number) => `
name: ${name}
platform: ${platform}
images:
  plain:
    recipe: plain
    services: { server: { command: [perl, -e, ${JSON.stringify(SERVER)}] } }
networks:
  lan: { subnet: 10.${net}.0.0/24, uplink: trunk, gateway: 10.${net}.0.254 }
  inner: { mode: isolated, subnet: 10.${net + 1}.0.0/24 }
domains:
  one: { image: plain, memory: 144M, pids: 100, disk: 64M }
  two: { image: plain, memory: 112M, pids: 100, disk: 64M, nics: [{ network: lan }, { network: inner }] }
  three: { image: plain, memory: 112M, pids: 100, disk: 64M }
`;

/** In the station: a page five times a second, and an open connection on which a line goes and comes back. Ends at SIGTERM. */
const CLIENT = `
const http = require("node:http"), net = require("node:net");
const address = process.argv[1], pages = [], echo = { sent: 0, heard: 0, closed: false };
const ask = () => {
  const page = { atMs: Date.now(), tookMs: null, failed: null };
  pages.push(page);
  http.get({ host: address, agent: false, timeout: 30000 }, (response) =>
    response.on("data", () => undefined).on("end", () => (page.tookMs = Date.now() - page.atMs)))
    .on("timeout", () => (page.failed = "timeout")).on("error", (error) => (page.failed = error.code));
};
const line = net.connect(7, address).on("close", () => (echo.closed = true)).on("error", () => (echo.closed = true));
line.on("data", (bytes) => (echo.heard += bytes.toString().split("\\n").length - 1));
const timers = [setInterval(ask, 200), setInterval(() => { line.write("line\\n"); echo.sent++; }, 20)];
line.on("connect", () => { ask(); console.error("ready"); });
process.on("SIGTERM", () => { 
  timers.forEach(clearInterval);
  const untilMs = Date.now() + 30000;
  setInterval(() => {
    const isOver = echo.heard === echo.sent && pages.every(({ tookMs, failed }) => tookMs !== null || failed !== null);
    if (!isOver && Date.now() < untilMs) return;
    console.log(JSON.stringify({ pages, echo }));
    process.exit();
  }, 100);
});
`;

interface Heard {
  pages: { atMs: number; tookMs: number | null; failed: string | null }[];
  echo: { sent: number; heard: number; closed: boolean };
}

needs(
  ...LAB_NEEDS,
  "sshd",
  "tini",
  "qemu",
  "busybox",
  "apt",
)("moving a domain between hosts", () => {
  let here: SshHost;
  let there: SshHost;
  /** Only `here` can reach it by ssh. */
  let far: SshHost;
  /** A switch, to which all have a wire. */
  let hub: SshHost;

  beforeAll(async () => {
    prepareProgram();
    here = await createSshHost("here", { isServer: false });
    there = await createSshHost("there", { isServer: true });
    far = await createSshHost("far", { isServer: true });
    hub = await createSshHost("hub", { isServer: true });
    wire({ host: here, name: "wire", address: HERE }, { host: there, name: "wire", address: THERE });
    wire({ host: here, name: "far", address: "10.214.0.1" }, { host: far, name: "wire", address: "10.214.0.2" });
    hub.shell("ip link add lan type bridge; ip link set lan up");
    for (const [i, host] of [here, there, far].entries()) {
      wire({ host, name: "trunk", address: `10.213.0.${i + 1}` }, { host: hub, name: host.name });
      hub.shell(`ip link set ${host.name} master lan`);
    }
    serveSsh(there, here, THERE);
    serveSsh(far, here, "10.214.0.2");
  });
  afterAll(async () => {
    for (const host of [hub, far, there, here]) await host.close();
  });

  const succeeded = (ended: Ended) => {
    if (ended.code !== 0) throw new Error(`${ended.code}: ${ended.stderr}`);
    return ended.stdout;
  };
  const succeed = (...args: string[]) => succeeded(here.cloison(...args));
  const refusal = (...args: string[]) => {
    const { code, stderr } = here.cloison(...args);
    return `${code}: ${stderr}`;
  };
  const rows = (name: string) => JSON.parse(succeed("ps", name, "--json")) as DomainRow[];
  const states = (name: string) => rows(name).map(({ state }) => state);
  const inside = (name: string, script: string) => succeed("exec", name, "one", "--", "sh", "-ec", script);
  const moveOne = (name: string, to: string) => JSON.parse(succeed("move", name, "one", "--to", to, "--json")) as Moved;
  /** What of labs can be seen at a host: namespaces, files, sockets, interfaces, processes. */
  const traces = (host: SshHost) =>
    host.shell(`
ls /run/netns /run/state/labs /run/state/moves /run/state/backups /run/cloison/qemu /run/cloison/runc 2>/dev/null |
  grep -v ':$' | grep . | sort || true
ip -o link | awk -F'[: @]+' '{ print $2 }' | sort
pgrep -l 'qemu|socat|dnsmasq|runc' || true`).stdout;
  const NOTHING = "lo\ntrunk\nwire\n";
  const NOTHING_HERE = `far\n${NOTHING}`;

  /** nsenter waits for what runs in the host. */
  const inner = (child: ChildProcess) =>
    Number(spawnSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" }).stdout.trim());

  async function client(name: string, address: string) {
    const station = `--net=/run/netns/cloison.${name}.station`;
    const { child, ended } = here.start(["nsenter", station, process.execPath, "-e", CLIENT, address]);
    await once(child.stderr as NodeJS.EventEmitter, "data");
    return async () => {
      process.kill(inner(child), "SIGTERM");
      return JSON.parse((await ended).stdout) as Heard;
    };
  }

  /** Begins to move a domain, and kills the command at a moment that is seen at the hosts. */
  async function killed([name, domain, to]: [string, string, string], isMoment: () => boolean) {
    const { child, ended } = here.start([process.execPath, PROGRAM, "move", name, domain, "--to", to]);
    const command = await vi.waitFor(() => {
      expect(inner(child)).toBeGreaterThan(0);
      return inner(child);
    });
    while (!isMoment()) {
      expect(child.exitCode).toBe(null);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    process.kill(command, "SIGKILL");
    await ended;
  }
  /** A path of a host, from outside. */
  const seen = (host: SshHost, path: string) => `/proc/${host.pid}/root${path}`;
  const phase = (name: string, domain: string) => {
    const file = seen(here, `/run/state/moves/${name}.json`);
    const moves = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, Move>) : {};
    return moves[domain]?.phase;
  };
  /** Of a machine, at each host: QEMU, and the shell that writes down how it ends. */
  const machines = (domain: string) =>
    [here, there, far].map((host) =>
      Number(host.shell(`pgrep -c -f 'qemu-system.*-name ${domain.slice(0, -1)}[${domain.slice(-1)}]' || true`).stdout),
    );

  describe("a virtual machine", () => {
    const uptime = (domain: string) =>
      Number(succeed("exec", "roam", domain, "--", "cut", "-d.", "-f1", "/proc/uptime"));

    beforeAll(() => {
      succeed("up", fileOn(here, "/root/roam.yaml", lab("roam", "qemu", 80)));
      inside("roam", "echo mine >/root/file; sync");
    });

    test("is refused where its network ends, where there is no such wire, and by a host that is not there", () => {
      expect(refusal("move", "roam", "two", "--to", HOST)).toMatch(
        /^2: domain two cannot be moved: its network inner is of mode isolated/,
      );
      expect(refusal("move", "roam", "one", "--to", "ssh://root@10.212.0.9")).toMatch(/^3: .*can't be reached/);
      there.shell("ip link set trunk down; ip link set trunk name other");
      const said = refusal("move", "roam", "one", "--to", HOST);
      there.shell("ip link set other name trunk; ip link set trunk up");
      expect(said).toMatch(/^2: .*ssh:.*trunk cannot be the uplink of lab roam: there is no such interface/s);
      expect(states("roam")).toEqual(["running", "running", "running"]);
      expect(traces(there)).toBe(NOTHING);
    });

    const diskBytes = (host: SshHost) =>
      statSync(seen(host, "/run/state/labs/roam/domains/one/disk.qcow2"), { throwIfNoEntry: false })?.size ?? 0;

    test.each([
      ["the domain is made there", () => phase("roam", "one") === "copying"],
      ["its disk is copied", () => diskBytes(there) > 8 * 2 ** 20],
    ])("goes on here when the command is killed while %s", async (_when, isMoment) => {
      const before = uptime("one");
      await killed(["roam", "one", HOST], isMoment);
      await vi.waitFor(() => expect(uptime("one")).toBeGreaterThan(before), { timeout: 30_000 });
      expect(states("roam")).toEqual(["running", "running", "running"]);
      expect(traces(there)).toBe(NOTHING);
    });

    test("is here or there, and not both, when the command is killed while it switches", async () => {
      const before = uptime("three");
      await killed(["roam", "three", HOST], () => phase("roam", "three") === "switching");
      const [state] = states("roam").slice(2);
      expect(["running", "moved"]).toContain(state);
      expect(machines("three")).toEqual(state === "running" ? [2, 0, 0] : [0, 2, 0]);
      expect(uptime("three")).toBeGreaterThanOrEqual(before);
    });

    /** Moves a domain that is spoken with meanwhile. */
    async function goesOn(to: string) {
      const [before] = rows("roam");
      const ran = uptime("one");
      const stop = await client("roam", "10.80.0.11");
      const moved = moveOne("roam", to);
      const { pages, echo } = await stop();

      expect(pages.filter(({ failed, tookMs }) => failed !== null || tookMs === null)).toEqual([]);
      expect(echo).toEqual({ sent: echo.sent, heard: echo.sent, closed: false });
      expect(moved).toMatchObject({ domain: "one", host: to });
      expect(moved.silence?.longestMs).toBeGreaterThan(0);
      expect(moved.silence?.longestMs).toBeLessThan(10_000);
      // A connection that is begun in the gap is begun again after a second.
      const slowest = Math.max(...pages.map(({ tookMs }) => tookMs ?? 0));
      expect(slowest).toBeLessThan((moved.silence?.longestMs ?? 0) + 5000);
      const [row] = rows("roam");
      expect(row?.interfaces).toEqual(before?.interfaces);
      expect(inside("roam", "cat /root/file")).toBe("mine\n");
      expect(uptime("one")).toBeGreaterThanOrEqual(ran);
      expect(inside("roam", "cat /sys/class/net/eth0/address").trim()).toBe(before?.interfaces[0]?.mac);
      expect(succeed("net", "diff", "roam")).toBe("nothing differs from the plan\n");
    }

    test("goes on there, with its memory, file, addresses and connections, and only there", async () => {
      await goesOn(HOST);
      expect(rows("roam")[0]).toMatchObject({ state: "moved", detail: `it is on ${HOST}` });
      expect(machines("one")).toEqual([0, 2, 0]);
    });

    test("another one joins it there, and neither is disturbed", () => {
      const ran = uptime("one");
      if (states("roam")[2] === "running") succeed("move", "roam", "three", "--to", HOST);
      expect(states("roam")).toEqual(["moved", "running", "moved"]);
      expect(uptime("one")).toBeGreaterThanOrEqual(ran);
      const ping = (address: string) =>
        here.run(["nsenter", "--net=/run/netns/cloison.roam.station", "ping", "-c3", "-i0.2", "-W5", address]).code;
      expect(["10.80.0.11", "10.80.0.12", "10.80.0.13"].map(ping)).toEqual([0, 0, 0]);
    });

    test("it stays there when the lab is changed", () => {
      expect(refusal("move", "roam", "one", "--to", HOST)).toMatch(/^2: domain one of lab roam is on ssh:.* already/);
      expect(refusal("backup", "roam", "/root/roam.tar.zst")).toMatch(/not all of lab roam is here: one is on ssh:/);
      const up = here.cloison("up", "/root/roam.yaml");
      expect(up).toMatchObject({ code: 0 });
      expect(up.stderr).toContain("and stays as it is");
      expect(states("roam").slice(0, 2)).toEqual(["moved", "running"]);
      fileOn(here, "/root/other.yaml", lab("roam", "qemu", 80).replace("  one:", "  zero: { image: plain }\n  one:"));
      expect(refusal("up", "/root/other.yaml")).toMatch(/^2: domain one is on .* gives it other interfaces/);
    });

    test.each([
      ["the domain is made here", () => phase("roam", "one") === "copying"],
      ["its disk is copied", () => diskBytes(here) > 8 * 2 ** 20],
    ])("goes on there when the command is killed while %s", async (_when, isMoment) => {
      const before = uptime("one");
      await killed(["roam", "one", "local"], isMoment);
      await vi.waitFor(() => expect(uptime("one")).toBeGreaterThan(before), { timeout: 30_000 });
      expect(states("roam")).toEqual(["moved", "running", "moved"]);
      expect([machines("one"), machines("three")]).toEqual([
        [0, 2, 0],
        [0, 2, 0],
      ]);
    });

    test("is there or here, and not both, when the command is killed while it switches back", async () => {
      const before = uptime("three");
      await killed(["roam", "three", "local"], () => phase("roam", "three") === "switching");
      const [state] = states("roam").slice(2);
      expect(["running", "moved"]).toContain(state);
      expect(machines("three")).toEqual(state === "running" ? [2, 0, 0] : [0, 2, 0]);
      expect(uptime("three")).toBeGreaterThanOrEqual(before);
    });

    test("goes on at a third host, which the second one does not reach", async () => {
      await goesOn(FAR);
      expect(rows("roam")[0]).toMatchObject({ state: "moved", detail: `it is on ${FAR}` });
      expect(machines("one")).toEqual([0, 0, 2]);
    });

    test("goes on here again, as it went on there", async () => {
      await goesOn("local");
      expect(rows("roam")[0]).toMatchObject({ state: "running", detail: null });
      expect(machines("one")).toEqual([2, 0, 0]);
      expect(refusal("move", "roam", "one", "--to", "local")).toMatch(
        /^2: domain one of lab roam is with its lab already/,
      );
    });

    test("another one that its user has shut down stays so, with its disk", () => {
      const disk = () => statSync(seen(here, "/run/state/labs/roam/domains/two/disk.qcow2")).ino;
      moveOne("roam", HOST);
      succeed("shutdown", "roam", "two");
      const before = disk();
      moveOne("roam", "local");
      expect(states("roam").slice(0, 2)).toEqual(["running", "stopped"]);
      expect(disk()).toBe(before);
      expect(machines("two")).toEqual([0, 0, 0]);
      succeed("up", "/root/roam.yaml");
    });

    test("with the last one nothing is left there, and the lab is whole", () => {
      if (states("roam")[2] === "moved") succeed("move", "roam", "three", "--to", "local");
      expect([there, far].map(traces)).toEqual([NOTHING, NOTHING]);
      there.shell("kill $(cat /run/sshd/pid); pkill sshd || true");
      expect(states("roam")).toEqual(["running", "running", "running"]);
      succeed("backup", "roam", "/root/roam.tar.zst");
      succeed("down", "roam");
      expect(traces(here)).toBe(NOTHING_HERE);
      there.shell("/usr/sbin/sshd -f /run/sshd/config -E /run/sshd/log");
    });
  });

  describe("a container", () => {
    beforeAll(() => {
      succeed("up", fileOn(here, "/root/box.yaml", lab("box", "container", 84)));
      inside("box", "echo mine >/root/file; rm /etc/motd");
    });

    /** Moves it; what it is then is what it was. */
    async function startsAgain(to: string) {
      const [before] = rows("box");
      const moved = moveOne("box", to);
      expect(moved.silence).toMatchObject({ unanswered: null });
      expect(inside("box", "cat /root/file; ls /etc/motd 2>/dev/null || true")).toBe("mine\n");
      expect(inside("box", "cat /sys/class/net/eth0/address").trim()).toBe(before?.interfaces[0]?.mac);
      const stop = await client("box", "10.84.0.11");
      const { pages } = await stop();
      expect(pages.length).toBeGreaterThan(0);
      expect(pages.filter(({ failed }) => failed !== null)).toEqual([]);
    }

    test("starts there with what it wrote, and its address", async () => {
      await startsAgain(HOST);
      expect(states("box")).toEqual(["moved", "running", "running"]);
    });

    test("goes on there when the command is killed on its way back, as soon as another one asks", async () => {
      inside("box", "echo two >/root/other");
      await killed(["box", "one", "local"], () => phase("box", "one") === "copying");
      expect(states("box")).toEqual(["moved", "running", "running"]);
      expect(inside("box", "cat /root/other")).toBe("two\n");
    });

    test("starts at a third host with what it wrote", async () => {
      await startsAgain(FAR);
      expect(traces(there)).toBe(NOTHING);
    });

    test("starts here again with what it wrote, and nothing is left there", async () => {
      await startsAgain("local");
      expect(inside("box", "cat /root/other")).toBe("two\n");
      expect(states("box")).toEqual(["running", "running", "running"]);
      expect(traces(far)).toBe(NOTHING);
    });

    test("a host that cannot be reached is left for the next `down`", () => {
      moveOne("box", HOST);
      there.shell("kill $(cat /run/sshd/pid); pkill sshd || true");
      expect(refusal("down", "box")).toMatch(/^3: lab box is removed here, but not elsewhere/);
      expect(traces(here)).toBe(`box.json\n${NOTHING_HERE}`);
      there.shell("/usr/sbin/sshd -f /run/sshd/config -E /run/sshd/log");
      succeed("down", "box");
      expect(traces(here)).toBe(NOTHING_HERE);
      expect(traces(there)).toBe(NOTHING);
    });
  });
});

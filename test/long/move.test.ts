import { spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { Moved } from "../../src/app/move/move.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { prepareProgram, PROGRAM, type Ended } from "../sandbox.ts";
import { createSshHost, fileOn, serveSsh, wire, type SshHost } from "../ssh-hosts.ts";

const HERE = "10.212.0.1";
const THERE = "10.212.0.2";
const HOST = `ssh://root@${THERE}`;

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
)("moving a domain between two hosts", () => {
  let here: SshHost;
  let there: SshHost;

  beforeAll(async () => {
    prepareProgram();
    here = await createSshHost("here", { isServer: false });
    there = await createSshHost("there", { isServer: true });
    wire(here, there, { name: "wire", addresses: [HERE, THERE] });
    wire(here, there, { name: "trunk", addresses: ["10.213.0.1", "10.213.0.2"] });
    serveSsh(there, here, THERE);
  });
  afterAll(async () => {
    await there.close();
    await here.close();
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
  const moveOne = (name: string) => JSON.parse(succeed("move", name, "one", "--to", HOST, "--json")) as Moved;
  /** What of labs can be seen at a host: namespaces, files, sockets, interfaces, processes. */
  const traces = (host: SshHost) =>
    host.shell(`
ls /run/netns /run/state/labs /run/state/moves /run/state/backups /run/cloison/qemu /run/cloison/runc 2>/dev/null |
  grep -v ':$' | grep . | sort || true
ip -o link | awk -F'[: @]+' '{ print $2 }' | sort
pgrep -l 'qemu|socat|dnsmasq|runc' || true`).stdout;
  const NOTHING = "lo\ntrunk\nwire\n";

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

    /** Begins to move a domain, and kills the command at a moment that is seen at the host. */
    async function killed(domain: string, isMoment: () => boolean) {
      const { child, ended } = here.start([process.execPath, PROGRAM, "move", "roam", domain, "--to", HOST]);
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
    /** A path of the host that commands are given at, from outside. */
    const seen = (path: string) => `/proc/${here.pid}/root${path}`;
    const phase = () => {
      const file = seen("/run/state/moves/roam.json");
      return existsSync(file) ? (/"phase":"(\w+)"/.exec(readFileSync(file, "utf8"))?.[1] ?? "") : "";
    };

    test.each([
      ["the domain is made there", () => phase() === "copying"],
      ["its disk is copied", () => existsSync(seen("/run/cloison/qemu/roam/one/move/memory"))],
    ])("goes on here when the command is killed while %s", async (_when, isMoment) => {
      const before = uptime("one");
      await killed("one", isMoment);
      await vi.waitFor(() => expect(uptime("one")).toBeGreaterThan(before), { timeout: 30_000 });
      expect(states("roam")).toEqual(["running", "running", "running"]);
      expect(traces(there)).toBe(NOTHING);
    });

    test("is here or there, and not both, when the command is killed while it switches", async () => {
      const before = uptime("three");
      await killed("three", () => phase() === "switching");
      const machines = () =>
        [here, there].map((host) => Number(host.shell("pgrep -c -f 'qemu-system.*-name thre[e]' || true").stdout));
      const [state] = states("roam").slice(2);
      expect(["running", "moved"]).toContain(state);
      expect(machines()).toEqual(state === "running" ? [2, 0] : [0, 2]);
      expect(uptime("three")).toBeGreaterThanOrEqual(before);
    });

    test("goes on there, with its memory, file, addresses and connections, and only there", async () => {
      const [before] = rows("roam");
      const ran = uptime("one");
      const stop = await client("roam", "10.80.0.11");
      const moved = moveOne("roam");
      const { pages, echo } = await stop();

      expect(pages.filter(({ failed, tookMs }) => failed !== null || tookMs === null)).toEqual([]);
      expect(echo).toEqual({ sent: echo.sent, heard: echo.sent, closed: false });
      expect(moved.silence?.longestMs).toBeGreaterThan(0);
      expect(moved.silence?.longestMs).toBeLessThan(10_000);
      // A connection that is begun in the gap is begun again after a second.
      const slowest = Math.max(...pages.map(({ tookMs }) => tookMs ?? 0));
      expect(slowest).toBeLessThan((moved.silence?.longestMs ?? 0) + 5000);
      const [row] = rows("roam");
      expect(row).toMatchObject({ state: "moved", detail: `it is on ${HOST}`, interfaces: before?.interfaces });
      expect(inside("roam", "cat /root/file")).toBe("mine\n");
      expect(uptime("one")).toBeGreaterThanOrEqual(ran);
      expect(inside("roam", "cat /sys/class/net/eth0/address").trim()).toBe(before?.interfaces[0]?.mac);
      expect(succeed("net", "diff", "roam")).toBe("nothing differs from the plan\n");
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

    test("it stays there when the lab is changed, and goes with the lab", () => {
      expect(refusal("move", "roam", "one", "--to", HOST)).toMatch(/domain one of lab roam is on ssh:/);
      const up = here.cloison("up", "/root/roam.yaml");
      expect(up).toMatchObject({ code: 0 });
      expect(up.stderr).toContain("and stays as it is");
      expect(states("roam").slice(0, 2)).toEqual(["moved", "running"]);
      fileOn(here, "/root/other.yaml", lab("roam", "qemu", 80).replace("  one:", "  zero: { image: plain }\n  one:"));
      expect(refusal("up", "/root/other.yaml")).toMatch(/^2: domain one is on .* gives it other interfaces/);
      succeed("down", "roam");
      expect(traces(there)).toBe(NOTHING);
      expect(traces(here)).toBe(NOTHING);
    });
  });

  describe("a container", () => {
    beforeAll(() => {
      succeed("up", fileOn(here, "/root/box.yaml", lab("box", "container", 84)));
      inside("box", "echo mine >/root/file; rm /etc/motd");
    });

    test("starts there with what it wrote, and its address", async () => {
      const [before] = rows("box");
      const moved = moveOne("box");
      expect(moved.silence).toMatchObject({ unanswered: null });
      expect(inside("box", "cat /root/file; ls /etc/motd 2>/dev/null || true")).toBe("mine\n");
      expect(inside("box", "cat /sys/class/net/eth0/address").trim()).toBe(before?.interfaces[0]?.mac);
      expect(states("box")).toEqual(["moved", "running", "running"]);
      const stop = await client("box", "10.84.0.11");
      const { pages } = await stop();
      expect(pages.length).toBeGreaterThan(0);
      expect(pages.filter(({ failed }) => failed !== null)).toEqual([]);
    });

    test("a host that cannot be reached is left for the next `down`", () => {
      there.shell("kill $(cat /run/sshd/pid); pkill sshd || true");
      expect(refusal("down", "box")).toMatch(/^3: lab box is removed here, but not elsewhere/);
      expect(traces(here)).toBe(`box.json\n${NOTHING}`);
      there.shell("/usr/sbin/sshd -f /run/sshd/config -E /run/sshd/log");
      succeed("down", "box");
      expect(traces(here)).toBe(NOTHING);
      expect(traces(there)).toBe(NOTHING);
    });
  });
});

import { spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { WatchEvent } from "../../src/app/watch.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { prepareProgram, PROGRAM } from "../sandbox.ts";
import { createSshHost, fileOn, serveSsh, startSshd, type SshHost } from "../ssh-hosts.ts";

const HERE = "10.222.0.1";
const THERE = "10.222.0.2";
const HOST = `ssh://root@${THERE}`;

const lab = (name: string, platform: string, net: number) => `
name: ${name}
platform: ${platform}
images:
  plain:
    recipe: plain
    services:
      server:
        command:
          - perl
          - -MIO::Socket::INET
          - -e
          - 'my $l = IO::Socket::INET->new(LocalPort => 80, Listen => 5, ReuseAddr => 1) or die; while (my $c = $l->accept) { print $c "page\\n" }'
networks:
  lan: { subnet: 10.${net}.0.0/24, uplink: trunk, gateway: 10.${net}.0.254 }
domains:
  one: { image: plain, memory: 144M, pids: 100, disk: 64M }
  two: { image: plain, memory: 112M, pids: 100, disk: 64M }
`;

/** Asks who has the power to do what it says, and waits until that is done. */
const FENCE = `
echo "$1 $CLOISON_FENCE_HOST $CLOISON_FENCE_LAB" >/run/request.new; mv /run/request.new /run/request
while [ -e /run/request ]; do sleep 0.1; done`;
const CYCLE = "sh /root/fence cycle";
const OFF = "sh /root/fence off";
const CUT = "sh /root/fence cut";

needs(
  ...LAB_NEEDS,
  "sshd",
  "tini",
)("a host that is lost", () => {
  let here: SshHost;
  let there: SshHost;
  /** What both are plugged into. */
  let board: SshHost;
  let power: NodeJS.Timeout;
  const asked: string[] = [];

  function plug(host: SshHost, name: string, address: string): void {
    const port = `${name}-${host.name}`;
    // A card keeps it over a start: others go on asking it for half a minute.
    const mac = ["02", "00", ...address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"))].join(":");
    // Of a host that has ended: the kernel takes its time to remove what was in its namespace.
    board.shell(`ip link delete ${port} 2>/dev/null || :`);
    const made = spawnSync(
      "ip",
      `link add ${name} address ${mac} netns ${host.pid} type veth peer name ${port} netns ${board.pid}`.split(" "),
    );
    if (made.status !== 0) throw new Error(`no wire: ${made.stderr}`);
    board.shell(`ip link set ${port} master ${name} up`);
    host.shell(`ip address add ${address}/24 dev ${name}; ip link set ${name} up`);
  }
  function plugThere(): void {
    plug(there, "wire", THERE);
    plug(there, "trunk", "10.223.0.2");
  }
  /** Both of a host's wires. */
  const cable = (host: SshHost, state: "up" | "down", ...names: string[]) =>
    board.shell(names.map((name) => `ip link set ${name}-${host.name} ${state}`).join("\n"));
  async function powerOn(): Promise<void> {
    await there.boot();
    plugThere();
    startSshd(there);
  }
  const does: Record<string, () => Promise<void>> = {
    off: () => there.end(),
    async cycle() {
      await there.end();
      await powerOn();
    },
    // And puts it back after the command has said that it is done.
    async cut() {
      cable(there, "down", "wire", "trunk");
      setTimeout(() => cable(there, "up", "wire", "trunk"), 15_000);
    },
  };

  beforeAll(async () => {
    prepareProgram();
    board = await createSshHost("board", { isServer: false });
    here = await createSshHost("here", { isServer: false });
    there = await createSshHost("there", { isServer: true });
    for (const name of ["wire", "trunk"]) board.shell(`ip link add ${name} type bridge; ip link set ${name} up`);
    plug(here, "wire", HERE);
    plug(here, "trunk", "10.223.0.1");
    plugThere();
    serveSsh(there, here, THERE);
    fileOn(here, "/root/fence", FENCE);
    let isAtWork = false;
    power = setInterval(() => {
      const request = `/proc/${here.pid}/root/run/request`;
      if (isAtWork || !existsSync(request)) return;
      isAtWork = true;
      const said = readFileSync(request, "utf8").trim();
      asked.push(said);
      void does[said.split(" ")[0] ?? ""]?.().then(() => {
        rmSync(request);
        isAtWork = false;
      });
    }, 50);
  });
  afterAll(async () => {
    clearInterval(power);
    await there.close();
    await here.close();
    await board.close();
  });

  const succeed = (...args: string[]) => {
    const { code, stdout, stderr } = here.cloison(...args);
    if (code !== 0) throw new Error(`${args.join(" ")}: ${code}: ${stderr}`);
    return stdout;
  };
  /** While a command runs, whoever has the power must not be kept from it. */
  async function running(...args: string[]) {
    const { code, stdout, stderr } = await here.start([process.execPath, PROGRAM, ...args]).ended;
    return `${code}: ${stdout}${stderr}`;
  }
  const rows = (name = "keep") => JSON.parse(succeed("ps", name, "--json")) as DomainRow[];
  const inside = (name: string, script: string) => succeed("exec", name, "one", "--", "sh", "-ec", script);
  /** From the lab's station. */
  const page = (name = "keep", address = "10.92.0.11") =>
    here.shell(
      `nsenter --net=/run/netns/cloison.${name}.station timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/80; cat <&3' || true`,
    ).stdout;
  /** Its service has just been started. */
  const answers = async (...of: Parameters<typeof page>) =>
    vi.waitFor(() => expect(page(...of)).toBe("page\n"), { timeout: 60_000, interval: 500 });
  /** A watch has seen in which life of its host the domain is. */
  const isLifeKnown = async (name: string) =>
    vi.waitFor(() => expect(moves(name)).toContain('"life":"'), { timeout: 60_000, interval: 100 });
  const moves = (name: string) => readFileSync(`/proc/${here.pid}/root/run/state/moves/${name}.json`, "utf8");
  const isThere = () => there.shell("pgrep -c -f 'perl -MI[O]' || true").stdout.trim();

  /** Starts to watch. */
  function watch(name: string, ...options: string[]) {
    const { child, ended } = here.start([process.execPath, PROGRAM, "watch", name, "--json", ...options]);
    const events: WatchEvent[] = [];
    let rest = "";
    child.stdout?.on("data", (text: string) => {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      events.push(...lines.map((line) => JSON.parse(line) as WatchEvent));
    });
    const seen = <E extends WatchEvent["event"]>(event: E) => {
      const found = events.findLast((one) => one.event === event);
      return found as Extract<WatchEvent, { event: E }> | undefined;
    };
    return {
      events,
      /** Resolves with the first event of a kind. */
      async until<E extends WatchEvent["event"]>(event: E, seconds = 100) {
        await vi.waitFor(() => expect(events.map((one) => one.event)).toContain(event), {
          timeout: seconds * 1000,
          interval: 20,
        });
        return seen(event) as Extract<WatchEvent, { event: E }>;
      },
      async kill(signal: NodeJS.Signals) {
        process.kill(inner(child), signal);
        return ended;
      },
    };
  }
  /** nsenter waits for what runs in the host. */
  const inner = (child: ChildProcess) =>
    Number(spawnSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" }).stdout.trim());

  beforeAll(() => {
    succeed("up", fileOn(here, "/root/keep.yaml", lab("keep", "container", 92)));
    inside("keep", "echo before >/root/file");
    succeed("snapshot", "create", "keep", "one", "kept");
    succeed("snapshot", "create", "keep", "one", "damaged");
    here.shell("echo x >/run/state/snapshots/keep/one/damaged/data/more");
  });

  test("a fence that only cuts a host off is not taken for one; one that ends it is", async () => {
    expect(await running("fence-test", "keep", HOST, "--fence", CUT)).toMatch(/^1: .*it was cut off, not ended/);
    expect(await running("fence-test", "keep", HOST, "--fence", CYCLE)).toMatch(/^0: .*has started anew/);
    expect(asked).toEqual([`cut ${THERE} keep`, `cycle ${THERE} keep`]);
  });

  test("nothing is trusted that was not shown", async () => {
    succeed("move", "keep", "one", "--to", HOST);
    inside("keep", "echo after >/root/file");
    expect(await running("watch", "keep", "--failover")).toMatch(
      /^2: error: --failover and --fence COMMAND go together/,
    );
    const said = await running("watch", "keep", "--failover", "--fence", OFF);
    expect(said).toMatch(/^2: that this fence command ends .* was never shown/);
    expect(said).toContain(`cloison fence-test keep ${HOST} --fence '${OFF}'`);
    const ending = await running("fence-test", "keep", HOST, "--fence", CYCLE);
    expect(ending).toMatch(/^2: domain one of lab keep is on .*, and would end with it/);
    expect(asked.length).toBe(2);
  });

  test("a host whose domain still answers on the wire is let be", async () => {
    const one = watch("keep", "--failover", "--fence", CYCLE);
    await one.until("trusting");
    cable(there, "down", "wire");
    const lost = await one.until("lost");
    expect(lost).toMatchObject({ host: HOST, domains: ["one"], detail: "one still answers on the wire" });
    cable(there, "up", "wire");
    await one.until("back");
    await one.kill("SIGINT");
    expect(one.events.map(({ event }) => event)).toEqual(["trusting", "watching", "lost", "back"]);
    expect(asked.length).toBe(2);
    expect(page()).toBe("page\n");
  });

  test("its domain runs here when it was seen to have ended, whenever the watch is killed, and not before", async () => {
    const [before] = rows();
    // Off, and the command does not get an answer at once.
    const cycle = does["cycle"];
    does["cycle"] = async () => {
      await there.end();
      await new Promise((resolve) => setTimeout(resolve, 2000));
    };
    const first = watch("keep", "--failover", "--fence", CYCLE);
    await first.until("trusting");
    await isLifeKnown("keep");
    await there.end();
    await first.until("fencing");
    await first.kill("SIGKILL");
    expect(rows()[0]?.state).toBe("moved");

    const second = watch("keep", "--failover", "--fence", CYCLE);
    expect(await second.until("fenced")).toMatchObject({ how: "silent", domains: ["one"] });
    await second.kill("SIGKILL");
    expect(moves("keep")).toContain('"phase":"lost"');

    const third = watch("keep", "--failover", "--fence", CYCLE);
    const taken = await third.until("taken-over");
    expect(taken).toMatchObject({ domain: "one", host: HOST, snapshot: { name: "kept" } });
    expect(third.events.map(({ event }) => event)).not.toContain("fencing");
    await answers();
    expect(rows().map(({ state }) => state)).toEqual(["running", "running"]);
    expect(rows()[0]?.interfaces).toEqual(before?.interfaces);
    expect(inside("keep", "cat /sys/class/net/eth0/address").trim()).toBe(before?.interfaces[0]?.mac);
    expect(inside("keep", "cat /root/file")).toBe("before\n");

    // The host comes back with all that was on its disk.
    if (cycle !== undefined) does["cycle"] = cycle;
    await powerOn();
    expect(there.shell("ls /run/state/labs").stdout).toBe("keep\n");
    expect(isThere()).toBe("0");
    expect(await third.until("cleared")).toMatchObject({ host: HOST, domains: ["one"], ranOn: false });
    expect(there.shell("ls /run/state/labs").stdout).toBe("");
    expect(isThere()).toBe("0");
    expect(existsSync(`/proc/${here.pid}/root/run/state/moves/keep.json`)).toBe(false);
    expect(page()).toBe("page\n");
    expect((await third.kill("SIGINT")).stderr).toMatch(
      /snapshot damaged of one is passed over: .* its files have changed/,
    );
  });

  test("it can be moved there again, and a start of the host is seen without any fence", async () => {
    succeed("move", "keep", "one", "--to", HOST);
    const one = watch("keep", "--failover", "--fence", CYCLE);
    await one.until("trusting");
    await isLifeKnown("keep");
    const times = asked.length;
    await there.end();
    await powerOn();
    expect(await one.until("fenced")).toMatchObject({ how: "anew" });
    await one.until("taken-over");
    await one.until("cleared");
    await one.kill("SIGINT");
    expect(asked.length).toBe(times);
    await answers();
    succeed("down", "keep");
  });

  test("a virtual machine, of which nothing was kept, is made of its image", async () => {
    succeed("up", fileOn(here, "/root/guest.yaml", lab("guest", "qemu", 94)));
    const [before] = rows("guest");
    succeed("move", "guest", "one", "--to", HOST);
    const one = watch("guest", "--failover", "--fence", CYCLE);
    await isLifeKnown("guest");
    await there.end();
    const taken = await one.until("taken-over", 300);
    expect(taken).toMatchObject({ domain: "one", snapshot: null });
    expect(one.events.map(({ event }) => event)).toEqual(["trusting", "watching", "fencing", "fenced", "taken-over"]);
    expect(rows("guest").map(({ state }) => state)).toEqual(["running", "running"]);
    expect(rows("guest")[0]?.interfaces).toEqual(before?.interfaces);
    await answers("guest", "10.94.0.11");
    expect(inside("guest", "cat /sys/class/net/eth0/address").trim()).toBe(before?.interfaces[0]?.mac);
    // By the watch, or by `ps`, whichever came first.
    const isCleared = () => !existsSync(`/proc/${here.pid}/root/run/state/moves/guest.json`);
    await vi.waitFor(() => expect(isCleared()).toBe(true), { timeout: 200_000, interval: 500 });
    await one.kill("SIGINT");
    succeed("down", "guest");
    for (const host of [here, there])
      expect(host.shell("ls /run/state/labs /run/netns || true").stdout).not.toContain("guest");
  });
});

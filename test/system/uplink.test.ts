import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";

const LAB = `
name: uplinked
platform: namespace
images: { plain: { recipe: plain } }
networks:
  lan: { subnet: 10.61.0.0/24, uplink: card1, gateway: 10.61.0.1 }
domains:
  one: { image: plain, memory: 64M, pids: 64 }
`;
/** The same over a card that does not carry the default route. */
const SIDE_LAB = LAB.replaceAll("10.61", "10.62").replace("card1", "card2");

/** A namespace that plays the machine, with two cards, and one that plays all that is beyond them. */
const PLAY = `
set -eu
ip netns add machine
ip netns add beyond
nsenter --net=/run/netns/machine sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip -n machine link set lo up
ip -n beyond link set lo up
for n in 1 2; do
  ip -n machine link add card$n type veth peer name eth$n netns beyond
  ip -n machine link set card$n up
  ip -n beyond link set eth$n up
  ip -n machine address add 10.6$n.0.2/24 brd + dev card$n
  ip -n machine address add 10.6$n.0.3/24 dev card$n label card$n:a
  ip -n machine address add 10.6$n.9.1 peer 10.6$n.9.2/32 dev card$n
  ip -n machine address add 10.6$n.0.4/24 dev card$n valid_lft 9000 preferred_lft 8000
  ip -n machine address add 2001:db8:6$n::2/64 dev card$n
  ip -n beyond address add 10.6$n.0.1/24 dev eth$n
  ip -n beyond address add 2001:db8:6$n::1/64 dev eth$n nodad
  ip -n machine route add 10.7$n.0.0/16 via 10.8.8.8 dev card$n onlink table 50 mtu 1400
  ip -n machine route add 2001:db8:7$n::/48 via 2001:db8:6$n::1 dev card$n proto ra expires 9000
done
ip -n machine route add default via 10.61.0.1 dev card1 proto dhcp src 10.61.0.3 metric 100
ip -n machine route add default via 10.61.0.7 dev card1 metric 300
ip -n machine route add default via 2001:db8:61::1 dev card1
`;

/** The namespaces, their network and the outside machine's server come first. */
const FIRST_UPLINK_EFFECT = 20;

/** In place of iproute2: of a batch that moves the card only so many lines are run, then whoever wanted it is killed. */
const CUT = `#!/bin/sh
real=/sbin/ip
[ -x $real ] || real=/usr/sbin/ip
[ "$1" = -batch ] || exec $real "$@"
cat >"$CUT/now"
grep -Eq "dev card2 (master|nomaster)" "$CUT/now" || exec $real -batch "$CUT/now"
cp "$CUT/now" "$CUT/batch"
head -n "$(cat "$CUT/lines")" "$CUT/now" | $real -batch -
kill -9 $PPID
`;

/** Holds a TCP connection; on SIGTERM asks once more over it, and ends well if an answer comes. */
const TALKER = `
const socket = require("node:net").connect(7000, "10.61.0.1");
socket.on("error", () => process.exit(1));
socket.on("connect", () => console.log("connected"));
process.on("SIGTERM", () => { socket.write("?"); socket.on("data", () => process.exit(0)); setTimeout(() => process.exit(2), 5000); });
`;
const ECHO = `require("node:net").createServer((socket) => socket.pipe(socket)).listen(7000, () => console.log("listening"));`;

needs(
  "root",
  "netns",
  "ping",
  "dnsmasq",
)("a real interface joins a lab", () => {
  const crashProgram = join(process.cwd(), `dist/crash-program-${process.pid}.mjs`);
  let sandbox: Sandbox;
  let before: string[];
  let file = "";
  let sideFile = "";

  beforeAll(async () => {
    prepareProgram();
    await build({
      entryPoints: [fileURLToPath(new URL("../crash-program.ts", import.meta.url))],
      outfile: crashProgram,
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      loader: { ".php": "text", ".conf": "text" },
    });
    sandbox = await createSandbox();
    file = join(sandbox.folder, "lab.yaml");
    sideFile = join(sandbox.folder, "side.yaml");
    writeFileSync(file, LAB);
    writeFileSync(sideFile, SIDE_LAB);
    expect(sandbox.run(["sh", "-c", PLAY])).toMatchObject({ code: 0, stderr: "" });
    before = network();
  });
  afterEach(() => {
    succeed("down", "--all");
    expect(network()).toEqual(before);
    expect(left()).toEqual([]);
  });
  afterAll(async () => {
    await sandbox.close();
    rmSync(crashProgram, { force: true });
  });

  const within = (namespace: string, ...argv: string[]): Ended =>
    sandbox.run(["nsenter", `--net=/run/netns/${namespace}`, "--", ...argv]);
  const argvOf = (...args: string[]) => [
    "nsenter",
    "--net=/run/netns/machine",
    "--",
    process.execPath,
    PROGRAM,
    ...args,
  ];
  const cloison = (...args: string[]) => sandbox.run(argvOf(...args));
  const crash = (confirmWithinMs: number, ...args: (string | number)[]) =>
    within(
      "machine",
      "env",
      `CONFIRM_WITHIN_MS=${confirmWithinMs}`,
      process.execPath,
      crashProgram,
      ...args.map(String),
    );
  function succeed(...args: string[]): string {
    const ended = cloison(...args);
    const said = ended.code === 0 ? "" : ended.stdout + ended.stderr;
    expect({ code: ended.code, said }, `cloison ${args.join(" ")}`).toEqual({ code: 0, said: "" });
    return ended.stdout;
  }
  const pings = (namespace: string, address: string) =>
    within(namespace, "ping", "-c", "1", "-w", "3", address).code === 0;

  /** The machine's whole network, but for how far lifetimes have run down. */
  function network(): string[] {
    const { stdout } = within(
      "machine",
      "sh",
      "-c",
      "ip -j addr; ip -j -4 route show table all; ip -j -6 route show table all",
    );
    return stdout
      .trim()
      .split("\n")
      .flatMap((line) => (JSON.parse(line) as object[]).map((one) => JSON.stringify(one)))
      .map((line) => line.replaceAll(/"(valid_life_time|preferred_life_time|expires)":\d{1,4}\b/g, '"$1":"…"'))
      .toSorted();
  }
  const master = (card: string) =>
    /master (\S+)/.exec(within("machine", "ip", "link", "show", card).stdout)?.[1] ?? null;
  /** Watchdogs and files that nobody needs any more. */
  const left = () =>
    sandbox
      .run([
        "sh",
        "-c",
        `find /sys/fs/cgroup -path "*/cloison*" -type d; find /run/cloison/locks ${sandbox.state}/labs -mindepth 1`,
      ])
      .stdout.split("\n")
      .filter((line) => line !== "");
  const restored = () => vi.waitFor(() => expect(network()).toEqual(before), { timeout: 15_000, interval: 50 });

  test("one with the default route is refused, and nothing is touched", () => {
    expect(cloison("up", file)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/card1 cannot be the uplink .* default route\n.*--confirm-within/s) as string,
    });
  });

  test("one that is not there, is no card, or is taken already is refused", () => {
    within(
      "machine",
      "sh",
      "-c",
      "ip link add other type bridge; ip link add p0 type veth peer name p1; ip link set p0 master other",
    );
    const said = (card: string) => {
      writeFileSync(sideFile, SIDE_LAB.replace("card2", card));
      const { code, stderr } = cloison("up", sideFile);
      return `${code} ${stderr.split("\n")[0]}`;
    };
    const refused = (card: string, why: string) => `2 ${card} cannot be the uplink of lab uplinked: ${why}`;
    expect(said("card9")).toBe(refused("card9", "there is no such interface"));
    expect(said("other")).toBe(refused("other", "it is a bridge"));
    expect(said("lo")).toBe(refused("lo", "it is no Ethernet interface (loopback)"));
    expect(said("p0")).toBe(refused("p0", "it is a port of other already"));
    writeFileSync(sideFile, SIDE_LAB);
    within("machine", "sh", "-c", "ip link del other; ip link del p0");
  });

  test("guests and the world beyond reach each other; confirmed, it stays; down puts it back; a connection lives through", async () => {
    const echo = sandbox.start(["nsenter", "--net=/run/netns/beyond", "--", process.execPath, "-e", ECHO]);
    await new Promise((resolve) => echo.child.stdout?.once("data", resolve));
    const talker = sandbox.start(["nsenter", "--net=/run/netns/machine", "--", process.execPath, "-e", TALKER]);
    await new Promise((resolve) => talker.child.stdout?.once("data", resolve));

    succeed("up", file, "--confirm-within", "3s");
    expect(master("card1")).toMatch(/^clbr/);
    expect(pings("cloison.uplinked.one", "10.61.0.1")).toBe(true);
    expect(pings("cloison.uplinked.one", "10.61.0.2")).toBe(true);
    expect(pings("beyond", "10.61.0.11")).toBe(true);
    expect(pings("machine", "10.61.0.1")).toBe(true);
    expect(pings("machine", "2001:db8:61::1")).toBe(true);
    expect(succeed("confirm", "uplinked")).toBe("card1: confirmed; it stays until cloison down\n");
    expect(succeed("confirm", "uplinked")).toBe("card1: was confirmed before\n");

    const joined = network();
    succeed("up", file);
    expect(network()).toEqual(joined);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(network()).toEqual(joined);

    succeed("down", "uplinked");
    expect(network()).toEqual(before);
    talker.child.kill("SIGTERM");
    expect(await talker.ended).toMatchObject({ code: 0 });
    echo.child.kill("SIGKILL");
    await echo.ended;
  });

  test("unconfirmed, it is as it was, and the lab stays; a confirmation is too late; up joins it again", async () => {
    succeed("up", file, "--confirm-within", "2s");
    expect(network()).not.toEqual(before);
    await restored();
    expect(cloison("confirm", "uplinked")).toMatchObject({
      code: 1,
      stdout: "card1: too late; it is as it was before it joined\n",
    });
    expect(succeed("ls")).toMatch(/uplinked +namespace +1\/1 +up/);
    expect(cloison("up", file)).toMatchObject({ code: 2 });
    succeed("up", file, "--confirm-within", "60s");
    expect(pings("cloison.uplinked.one", "10.61.0.1")).toBe(true);
  });

  test("of a confirmation and a deadline that come together one wins, and says so", async () => {
    const outcomes = new Set<number | null>();
    for (const afterMs of [0, 300, 400, 500, 600, 700, 1200]) {
      const up = cloison("up", file, "--confirm-within", "1s");
      expect(up).toMatchObject({ code: 0 });
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const { code } = cloison("confirm", "uplinked");
      outcomes.add(code);
      if (code === 0) {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        expect(master("card1")).toMatch(/^clbr/);
      } else expect(network()).toEqual(before);
      succeed("down", "uplinked");
    }
    expect(outcomes).toEqual(new Set([0, 1]));
  });

  test("a watchdog that was killed: confirm after the deadline puts back, and says that it is too late", async () => {
    succeed("up", file, "--confirm-within", "2s");
    sandbox.run([
      "sh",
      "-c",
      "for f in /sys/fs/cgroup/cloison/_uplink/*/cgroup.procs /sys/fs/cgroup/pids/cloison/_uplink/*/cgroup.procs; do [ ! -e $f ] || kill -9 $(cat $f); done",
    ]);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(master("card1")).toMatch(/^clbr/);
    expect(cloison("confirm", "uplinked")).toMatchObject({ code: 1 });
    expect(network()).toEqual(before);
  });

  test("a card that has gone meanwhile: down removes the bridge", () => {
    within("machine", "sh", "-c", "ip link add card3 type veth peer name far; ip link set card3 up");
    writeFileSync(sideFile, SIDE_LAB.replace("card2", "card3"));
    succeed("up", sideFile);
    within("machine", "ip", "link", "del", "card3");
    expect(within("machine", "ip", "-br", "link").stdout).toMatch(/^clbr/m);
    succeed("down", "uplinked");
    expect(network()).toEqual(before);
    writeFileSync(sideFile, SIDE_LAB);
  });

  test("a file that no longer names it: up puts it back", () => {
    succeed("up", sideFile);
    expect(master("card2")).toMatch(/^clbr/);
    writeFileSync(sideFile, SIDE_LAB.replace(", uplink: card2, gateway: 10.62.0.1", ""));
    succeed("up", sideFile);
    expect(network()).toEqual(before);
    writeFileSync(sideFile, SIDE_LAB);
  });

  describe("cloison is killed", () => {
    test("before, within and after every entry of the journal: down puts all back", () => {
      const { journal } = JSON.parse(crash(0, "up", sideFile, "effect", "before", 0).stdout) as { journal: number };
      succeed("down", "--all");
      for (let n = 1; n <= journal; n++) {
        for (const moment of ["before", "within", "after"]) {
          expect(crash(0, "up", sideFile, "journal", moment, n)).toMatchObject({ code: null });
          succeed("down", "--all");
          expect({ n, moment, network: network() }).toEqual({ n, moment, network: before });
        }
      }
    });

    test("between any two effects: the watchdog puts all back by itself", async () => {
      // The first one tries the platform, too.
      crash(60_000, "up", file, "effect", "before", 0);
      succeed("down", "--all");
      const { effect } = JSON.parse(crash(60_000, "up", file, "effect", "before", 0).stdout) as { effect: number };
      succeed("down", "--all");
      let touched = 0;
      // Before that nothing of an uplink is done.
      for (let n = FIRST_UPLINK_EFFECT; n <= effect; n++) {
        const { code, stderr } = crash(1000, "up", file, "effect", "after", n);
        // How often a program that starts is looked for varies, so the last may be beyond the end.
        expect({ n, code: code ?? 0, stderr }).toEqual({ n, code: 0, stderr: "" });
        if (code === null && master("card1") !== null) touched += 1;
        await restored();
        succeed("down", "--all");
      }
      expect(touched).toBeGreaterThanOrEqual(2);
    });

    test("after every line of the batches that move addresses and routes: down puts all back", () => {
      const cut = join(sandbox.folder, "cut");
      const lines = join(sandbox.folder, "lines");
      const batch = join(sandbox.folder, "batch");
      mkdirSync(cut);
      writeFileSync(join(cut, "ip"), CUT, { mode: 0o755 });
      const cutAfter = (n: number, ...args: string[]) => {
        writeFileSync(lines, `${n}`);
        return sandbox.run(["env", `PATH=${cut}:${process.env["PATH"]}`, "CUT=" + sandbox.folder, ...argvOf(...args)]);
      };
      for (const [verb, target] of [
        ["up", sideFile],
        ["down", "uplinked"],
      ] as const) {
        let count = Number.POSITIVE_INFINITY;
        for (let n = 0; n <= count; n++) {
          if (verb === "down") succeed("up", sideFile);
          expect(cutAfter(n, verb, target)).toMatchObject({ code: null });
          count = readFileSync(batch, "utf8").trimEnd().split("\n").length;
          succeed("down", "--all");
          expect({ verb, n, network: network() }).toEqual({ verb, n, network: before });
        }
        // Addresses, routes, the port itself.
        expect(count).toBeGreaterThanOrEqual(8);
      }
    });

    test("at any moment, from outside", async () => {
      for (const delayMs of [250, 300, 350, 400, 450, 500]) {
        const { child, ended } = sandbox.start(argvOf("up", file, "--confirm-within", "1s"));
        setTimeout(() => child.kill("SIGKILL"), delayMs);
        await ended;
        await restored();
        expect(master("card1")).toBeNull();
        succeed("down", "--all");
      }
    });

    test("down, between its effects: down again puts all back", () => {
      succeed("up", sideFile);
      const { effect } = JSON.parse(crash(0, "down", sideFile, "effect", "before", 0).stdout) as { effect: number };
      for (let n = 1; n <= effect; n += 2) {
        succeed("up", sideFile);
        crash(0, "down", sideFile, "effect", "after", n);
        succeed("down", "--all");
        expect({ n, network: network() }).toEqual({ n, network: before });
      }
    });
  });
});

import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { needs } from "../needs.ts";
import { prepareProgram } from "../sandbox.ts";
import { createUplinkBed, SIDE_LAB, type UplinkBed } from "../uplink-bed.ts";

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
  let bed: UplinkBed;

  beforeAll(async () => {
    prepareProgram();
    bed = await createUplinkBed();
  });
  afterEach(() => bed.clear());
  afterAll(() => bed.sandbox.close());

  test("one with the default route is refused, and nothing is touched", () => {
    expect(bed.cloison("up", bed.file)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/card1 cannot be the uplink .* default route\n.*--confirm-within/s) as string,
    });
  });

  test("one that is not there, is no card, or is taken already is refused", () => {
    bed.within(
      "machine",
      "sh",
      "-c",
      "ip link add other type bridge; ip link add p0 type veth peer name p1; ip link set p0 master other",
    );
    const said = (card: string) => {
      writeFileSync(bed.sideFile, SIDE_LAB.replace("card2", card));
      const { code, stderr } = bed.cloison("up", bed.sideFile);
      return `${code} ${stderr.split("\n")[0]}`;
    };
    const refused = (card: string, why: string) => `2 ${card} cannot be the uplink of lab uplinked: ${why}`;
    expect(said("card9")).toBe(refused("card9", "there is no such interface"));
    expect(said("other")).toBe(refused("other", "it is a bridge"));
    expect(said("lo")).toBe(refused("lo", "it is no Ethernet interface (loopback)"));
    expect(said("p0")).toBe(refused("p0", "it is a port of other already"));
    writeFileSync(bed.sideFile, SIDE_LAB);
    bed.within("machine", "sh", "-c", "ip link del other; ip link del p0");
  });

  test("guests and the world beyond reach each other; confirmed, it stays; down puts it back; a connection lives through", async () => {
    const echo = bed.sandbox.start(["nsenter", "--net=/run/netns/beyond", "--", process.execPath, "-e", ECHO]);
    await new Promise((resolve) => echo.child.stdout?.once("data", resolve));
    const talker = bed.sandbox.start(["nsenter", "--net=/run/netns/machine", "--", process.execPath, "-e", TALKER]);
    await new Promise((resolve) => talker.child.stdout?.once("data", resolve));

    bed.succeed("up", bed.file, "--confirm-within", "3s");
    expect(bed.master("card1")).toMatch(/^clbr/);
    expect(bed.pings("cloison.uplinked.one", "10.61.0.1")).toBe(true);
    expect(bed.pings("cloison.uplinked.one", "10.61.0.2")).toBe(true);
    expect(bed.pings("beyond", "10.61.0.11")).toBe(true);
    expect(bed.pings("machine", "10.61.0.1")).toBe(true);
    expect(bed.pings("machine", "2001:db8:61::1")).toBe(true);
    expect(bed.succeed("confirm", "uplinked")).toBe("card1: confirmed; it stays until cloison down\n");
    expect(bed.succeed("confirm", "uplinked")).toBe("card1: was confirmed before\n");

    const joined = bed.network();
    bed.succeed("up", bed.file);
    expect(bed.network()).toEqual(joined);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(bed.network()).toEqual(joined);

    bed.succeed("down", "uplinked");
    expect(bed.network()).toEqual(bed.before);
    talker.child.kill("SIGTERM");
    expect(await talker.ended).toMatchObject({ code: 0 });
    echo.child.kill("SIGKILL");
    await echo.ended;
  });

  test("unconfirmed, it is as it was, and the lab stays; a confirmation is too late; up joins it again", async () => {
    bed.succeed("up", bed.file, "--confirm-within", "2s");
    expect(bed.network()).not.toEqual(bed.before);
    await bed.restored();
    expect(bed.cloison("confirm", "uplinked")).toMatchObject({
      code: 1,
      stdout: "card1: too late; it is as it was before it joined\n",
    });
    expect(bed.succeed("ls")).toMatch(/uplinked +namespace +1\/1 +up/);
    expect(bed.cloison("up", bed.file)).toMatchObject({ code: 2 });
    bed.succeed("up", bed.file, "--confirm-within", "60s");
    expect(bed.pings("cloison.uplinked.one", "10.61.0.1")).toBe(true);
  });

  test("of a confirmation and a deadline that come together one wins, and says so", async () => {
    const outcomes = new Set<number | null>();
    for (const afterMs of [0, 1300, 1400, 1500, 1600, 1700, 2200]) {
      const up = bed.cloison("up", bed.file, "--confirm-within", "2s");
      expect(up).toMatchObject({ code: 0 });
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const { code } = bed.cloison("confirm", "uplinked");
      outcomes.add(code);
      if (code === 0) {
        await new Promise((resolve) => setTimeout(resolve, 2500));
        expect(bed.master("card1")).toMatch(/^clbr/);
      } else expect(bed.network()).toEqual(bed.before);
      bed.succeed("down", "uplinked");
    }
    expect(outcomes).toEqual(new Set([0, 1]));
  });

  test("a watchdog that was killed: confirm after the deadline puts back, and says that it is too late", async () => {
    bed.succeed("up", bed.file, "--confirm-within", "2s");
    bed.sandbox.run([
      "sh",
      "-c",
      "for f in /sys/fs/cgroup/cloison/_uplink/*/cgroup.procs /sys/fs/cgroup/pids/cloison/_uplink/*/cgroup.procs; do [ ! -e $f ] || kill -9 $(cat $f); done",
    ]);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(bed.master("card1")).toMatch(/^clbr/);
    expect(bed.cloison("confirm", "uplinked")).toMatchObject({ code: 1 });
    expect(bed.network()).toEqual(bed.before);
  });

  test("a card that has gone meanwhile: down removes the bridge", () => {
    bed.within("machine", "sh", "-c", "ip link add card3 type veth peer name far; ip link set card3 up");
    writeFileSync(bed.sideFile, SIDE_LAB.replace("card2", "card3"));
    bed.succeed("up", bed.sideFile);
    bed.within("machine", "ip", "link", "del", "card3");
    expect(bed.within("machine", "ip", "-br", "link").stdout).toMatch(/^clbr/m);
    bed.succeed("down", "uplinked");
    expect(bed.network()).toEqual(bed.before);
    writeFileSync(bed.sideFile, SIDE_LAB);
  });

  test("a file that no longer names it: up puts it back", () => {
    bed.succeed("up", bed.sideFile);
    expect(bed.master("card2")).toMatch(/^clbr/);
    writeFileSync(bed.sideFile, SIDE_LAB.replace(", uplink: card2, gateway: 10.62.0.1", ""));
    bed.succeed("up", bed.sideFile);
    expect(bed.network()).toEqual(bed.before);
    writeFileSync(bed.sideFile, SIDE_LAB);
  });

  test("cloison is killed at any moment, from outside: the watchdog puts all back", async () => {
    for (const delayMs of [250, 300, 350, 400, 450, 500]) {
      const { child, ended } = bed.sandbox.start(bed.argvOf("up", bed.file, "--confirm-within", "1s"));
      setTimeout(() => child.kill("SIGKILL"), delayMs);
      await ended;
      await bed.restored();
      expect(bed.master("card1")).toBeNull();
      bed.succeed("down", "--all");
    }
  });
});

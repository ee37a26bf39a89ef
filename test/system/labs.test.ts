import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";

const LAB = `
name: alpha
images:
  plain:
    recipe: plain
    services: { talker: { command: [sh, -c, "echo I talk; exec sleep infinity"] } }
networks:
  lan: { subnet: 10.77.0.0/24 }
domains:
  one: { image: plain, memory: 64M, pids: 64 }
  two: { image: plain, memory: 64M, pids: 64, services: [], nics: [{ network: lan, address: dhcp }] }
`;

needs(...LAB_NEEDS)("labs", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
  });
  afterAll(() => sandbox.close());

  function labFile(text: string, name = "lab.yaml"): string {
    const file = join(sandbox.folder, name);
    writeFileSync(file, text);
    return file;
  }
  const succeed = (...args: string[]) => sandbox.succeed(...args);
  const json = <T>(...args: string[]) => JSON.parse(succeed(...args, "--json")) as T;
  const domains = (...args: string[]) =>
    Object.fromEntries(json<DomainRow[]>("ps", ...args).map((row) => [row.domain, row]));
  const pidsOf = (...args: string[]) => Object.values(domains(...args)).map(({ pid }) => pid);
  /** Runs a program in one of a lab's namespaces; never in the machine's own. */
  const within = (namespace: string, ...argv: string[]): Ended =>
    sandbox.run(["nsenter", `--net=/run/netns/${namespace}`, "--", ...argv]);
  const pings = (namespace: string, address: string) =>
    within(namespace, "ping", "-c", "1", "-w", "3", address).code === 0;

  describe("a lab of two containers", () => {
    let file = "";
    beforeAll(() => {
      file = labFile(LAB);
      succeed("up", file);
    });
    afterAll(() => succeed("down", "alpha"));

    test("is listed with what its plan says", () => {
      expect(json("ls")).toEqual([
        { lab: "alpha", host: null, platform: "container", domains: 2, running: 2, state: "up" },
      ]);
      expect(succeed("ls")).toMatch(/^LAB +PLATFORM +RUNNING +STATE\nalpha +container +2\/2 +up\n$/);
      expect(domains("alpha")).toMatchObject({
        one: {
          id: 1,
          state: "running",
          interfaces: [{ vif: "vif1.0", network: "lan", address: "10.77.0.11", mac: "00:16:3e:06:b1:2d" }],
        },
        two: { id: 2, state: "running", interfaces: [{ vif: "vif2.0", address: "10.77.0.12" }] },
      });
      const shown = succeed("ps", "alpha");
      expect(shown).toMatch(/^LAB +ID +DOMAIN +PLATFORM +STATE +PID +VIF +NETWORK +MODE +ADDRESS +MAC\n/);
      expect(shown).toMatch(/\nalpha +2 +two +container +running +\d+ +vif2\.0 +lan +bridge +10\.77\.0\.12 +00:16:3e:/);
    });

    test("domains have the interfaces that ps shows, and reach each other, the station and the outside machine", () => {
      const { one, two } = domains("alpha");
      for (const [name, row] of Object.entries({ one, two })) {
        const nic = row?.interfaces[0];
        const inside = sandbox.cloison("exec", "alpha", name, "--", "ip", "-o", "addr", "show", "eth0").stdout;
        expect(inside).toContain(`inet ${nic?.address}/24`);
        expect(sandbox.cloison("exec", "alpha", name, "--", "ip", "link", "show", "eth0").stdout).toContain(nic?.mac);
        expect(within("cloison.alpha.host", "ip", "link", "show", `${nic?.vif}`).stdout).toContain("master xenbr0");
      }
      expect(pings("cloison.alpha.one", "10.77.0.12")).toBe(true);
      expect(pings("cloison.alpha.two", "10.77.0.11")).toBe(true);
      expect(pings("cloison.alpha.station", "10.77.0.11")).toBe(true);
      expect(pings("cloison.alpha.station", "10.77.0.12")).toBe(true);
      const ping = sandbox.cloison("exec", "alpha", "one", "--", "ping", "-c", "1", "-w", "3", "10.77.0.253");
      expect(ping).toMatchObject({ code: 0 });
    });

    test("the domain with address: dhcp has its planned address from the company's server", () => {
      const leases = readFileSync(join(sandbox.state, "labs/alpha/lan/lan0.leases"), "utf8");
      const mac = domains("alpha")["two"]?.interfaces[0]?.mac;
      expect(leases.trim()).toMatch(new RegExp(`^\\d+ ${mac} 10\\.77\\.0\\.12 two `));
      const routes = sandbox.cloison("exec", "alpha", "two", "--", "ip", "route").stdout;
      expect(routes).toContain("default via 10.77.0.1 dev eth0");
    });

    test("the outside machine serves its page to the LAN", () => {
      const script = `exec 3<>/dev/tcp/10.77.0.253/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
      const { stdout } = within("cloison.alpha.station", "timeout", "5", "bash", "-c", script);
      expect(stdout).toContain("outside machine of lab alpha");
    });

    test("the machine's own network has nothing of it", () => {
      const now = sandbox.snapshot();
      for (const section of ["links", "addresses", "routes", "rules", "nftables"] as const) {
        expect(now[section]).toEqual(before[section]);
      }
    });

    test("exec passes on input, output, user and exit code; logs shows what services print", () => {
      const enter = ["exec", "alpha", "one", "--"];
      expect(sandbox.cloison(...enter, "sh", "-c", "hostname; echo oops >&2; exit 7")).toEqual({
        code: 7,
        stdout: "one\n",
        stderr: "oops\n",
      });
      expect(sandbox.cloison(...enter, "sh", "-c", "kill -KILL $$")).toMatchObject({ code: 137 });
      expect(sandbox.cloison(...enter, "no-such-program")).toMatchObject({ code: 127 });
      expect(sandbox.cloison("exec", "--user", "www-data", "alpha", "one", "--", "id", "-un").stdout).toBe(
        "www-data\n",
      );
      const script = [process.execPath, PROGRAM, ...enter, "cat"];
      expect(sandbox.run(script, { input: "through\n" })).toMatchObject({ code: 0, stdout: "through\n" });
      expect(JSON.parse(succeed("--json", ...enter, "echo", "hi"))).toMatchObject({ code: 0, stdout: "hi\n" });
      expect(succeed("logs", "alpha", "one")).toBe("I talk\n");
      expect(json("logs", "alpha", "one")).toMatchObject({ text: "I talk\n" });
    });

    test("a program that exec runs ends with it", async () => {
      const { child, ended } = sandbox.start([
        process.execPath,
        PROGRAM,
        "exec",
        "alpha",
        "one",
        "--",
        "sleep",
        "4713",
      ]);
      const runs = () => sandbox.run(["pgrep", "-xf", "sleep 4713"]).code === 0;
      await eventually(runs);
      child.kill("SIGTERM");
      expect(await ended).toMatchObject({ code: 130 });
      await eventually(() => !runs());
    });

    test("a second up changes nothing", () => {
      const [pids, kernel] = [pidsOf("alpha"), sandbox.snapshot()];
      succeed("up", file);
      expect(pidsOf("alpha")).toEqual(pids);
      const again = sandbox.snapshot();
      expect({ ...again, files: [] }).toEqual({ ...kernel, files: [] });
    });

    test("a changed file remakes the changed domain only, adds new ones, removes those that are gone", () => {
      const was = domains("alpha");
      const three = "  three: { image: plain, memory: 64M, pids: 64, services: [] }\n";
      labFile(LAB.replace("one: {", "one: { disk: 64M,") + three);
      succeed("up", file);
      const is = domains("alpha");
      expect(is["two"]).toEqual(was["two"]);
      expect(is["one"]).toEqual({ ...was["one"], pid: is["one"]?.pid });
      expect(is["one"]?.pid).not.toBe(was["one"]?.pid);
      expect(is["three"]).toMatchObject({ state: "running", interfaces: [{ address: "10.77.0.13" }] });
      expect(pings("cloison.alpha.three", "10.77.0.12")).toBe(true);

      labFile(LAB);
      succeed("up", file);
      expect(Object.keys(domains("alpha"))).toEqual(["one", "two"]);
      expect(domains("alpha")["two"]).toEqual(was["two"]);
      expect(sandbox.snapshot().namespaces).not.toContain("cloison.alpha.three");
      expect(within("cloison.alpha.host", "ip", "link").stdout).not.toContain("vif3.0");
    });

    test("limits are set under a domain that goes on, unless it uses more", () => {
      const was = domains("alpha");
      const inside = (script: string) => succeed("exec", "alpha", "one", "--", "sh", "-ec", script);
      const hold = "head -c 40M /dev/zero >/dev/shm/held";
      inside(hold);
      const limited = (limits: string) =>
        labFile(LAB.replace("one: { image: plain, memory: 64M", `one: { image: plain, ${limits}`));
      expect(succeed("up", limited("memory: 80M, cpus: 0.5"))).toContain("(limits set of one)");
      expect(sandbox.cloison("up", limited("memory: 32M"))).toMatchObject({
        code: 5,
        stderr: expect.stringMatching(/domain one uses 4\dM of memory, and is to have 32M/) as string,
      });
      inside("rm /dev/shm/held");
      // Whatever the failed change has left.
      expect(succeed("up", file)).toContain("(limits set of one, two)");
      expect(succeed("up", labFile(LAB))).toContain("(limits set of one)");
      inside(`${hold}; rm /dev/shm/held`);
      expect(succeed("up", file)).toContain("(no domain had to be changed)");
      expect(domains("alpha")).toEqual(was);
    });

    test("a domain that has died is shown as stopped, and made anew", () => {
      const { one, two } = domains("alpha");
      sandbox.run(["kill", "-KILL", `${one?.pid}`]);
      expect(domains("alpha")).toMatchObject({ one: { state: "stopped", pid: null }, two: { state: "running" } });
      expect(json("ls")).toMatchObject([{ running: 1, state: "partly up" }]);
      succeed("up", file);
      expect(domains("alpha")).toMatchObject({ one: { state: "running" }, two: { pid: two?.pid } });
    });

    test("what was changed in its network by hand is put right", () => {
      within("cloison.alpha.host", "ip", "link", "del", "vif1.0");
      within("cloison.alpha.station", "ip", "route", "del", "default");
      succeed("up", file);
      expect(pings("cloison.alpha.station", "10.77.0.11")).toBe(true);
      expect(within("cloison.alpha.station", "ip", "route").stdout).toContain("default via 10.77.0.1");
    });

    test("a change that fails leaves the other domains as they are", () => {
      const { two } = domains("alpha");
      // Too small for a file system: found out only when the domain is made.
      labFile(LAB.replace("one: {", "one: { disk: 1K,"));
      const failed = sandbox.cloison("up", file);
      expect(failed).toMatchObject({ code: 5 });
      expect(failed.stderr).toContain("lab alpha goes on without one");
      expect(domains("alpha")).toMatchObject({ one: { state: "stopped" }, two: { pid: two?.pid, state: "running" } });
      labFile(LAB);
      succeed("up", file);
      expect(domains("alpha")).toMatchObject({ one: { state: "running" }, two: { pid: two?.pid } });
    });

    test("a memory bomb and a fork bomb hurt their own domain only", async () => {
      const { one, two } = domains("alpha");
      const shell = ["exec", "alpha", "two", "--", "sh", "-c"];
      const memory = sandbox.cloison(...shell, "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done");
      expect(memory).toMatchObject({ code: 137 });

      // A shell that cannot fork gives up, and another takes its place.
      const bomb = "while :; do (bomb() { bomb | bomb & }; bomb); done";
      const forks = sandbox.start([process.execPath, PROGRAM, ...shell, bomb]);
      const refused = "cat /sys/fs/cgroup{/pids,}/cloison/alpha/two/pids.events 2>/dev/null";
      await eventually(() => Number(/^max (\d+)/.exec(sandbox.run(["bash", "-c", refused]).stdout)?.[1]) > 100);
      expect(sandbox.run(["sh", "-c", "echo $((6 * 7))"]).stdout).toBe("42\n");
      expect(sandbox.cloison("exec", "alpha", "one", "--", "echo", "alive").stdout).toBe("alive\n");
      expect(pings("cloison.alpha.station", "10.77.0.11")).toBe(true);
      expect(domains("alpha")["one"]).toEqual(one);
      sandbox.run(["kill", "-KILL", `${two?.pid}`]);
      await forks.ended;
      succeed("up", file);
      expect(domains("alpha")).toMatchObject({ one: { pid: one?.pid }, two: { state: "running" } });
    });

    test("two ups at once: the one that is late says who holds the lab, and the lab is whole", async () => {
      labFile(LAB.replaceAll("64M", "96M"));
      const program = [process.execPath, PROGRAM, "up", file];
      const ups = [sandbox.start(program), sandbox.start(program)];
      const ended = await Promise.all(ups.map((up) => up.ended));
      for (const { code, stderr } of ended.filter((one) => one.code !== 0)) {
        expect(code).toBe(4);
        expect(stderr).toMatch(/lab alpha is in use by another cloison \(pid \d+\)/);
      }
      expect(ended.map(({ code }) => code)).toContain(0);
      expect(json("ls")).toMatchObject([{ running: 2, state: "up" }]);
      expect(pings("cloison.alpha.station", "10.77.0.11")).toBe(true);
    });

    test("stands beside another lab with the same subnet, which is left alone while its lock is held", async () => {
      const other = labFile(LAB.replace("alpha", "beta"), "beta.yaml");
      succeed("up", other);
      expect(domains("alpha")["one"]?.interfaces[0]).toMatchObject({ vif: "vif1.0", address: "10.77.0.11" });
      expect(domains("beta")["one"]?.interfaces[0]).toMatchObject({ vif: "vif1.0", address: "10.77.0.11" });
      expect(domains("beta")["one"]?.interfaces[0]?.mac).not.toBe(domains("alpha")["one"]?.interfaces[0]?.mac);
      for (const lab of ["alpha", "beta"]) expect(pings(`cloison.${lab}.station`, "10.77.0.11")).toBe(true);

      const beta = pidsOf("beta");
      const holder = sandbox.start(["flock", "--no-fork", "/run/cloison/locks/beta.lock", "sleep", "100"]);
      await eventually(() => sandbox.run(["flock", "--nonblock", "/run/cloison/locks/beta.lock", "true"]).code !== 0);
      const down = sandbox.cloison("down", "--all", "--json");
      expect(down.code).toBe(4);
      expect(JSON.parse(down.stdout)).toMatchObject([
        { lab: "alpha", outcome: "removed" },
        { lab: "beta", outcome: "in use" },
      ]);
      const held = [
        ["pause", "beta", "one"],
        ["resume", "beta", "one"],
        ["snapshot", "create", "beta", "one", "kept"],
        ["backup", "beta", join(sandbox.folder, "beta.tar.zst")],
      ];
      for (const command of held) {
        expect(sandbox.cloison(...command)).toMatchObject({
          code: 4,
          stderr: expect.stringMatching(/^lab beta is in use by another cloison/) as string,
        });
      }
      expect(json("ls")).toMatchObject([{ lab: "beta", running: 2 }]);
      expect(pidsOf("beta")).toEqual(beta);
      holder.child.kill("SIGKILL");
      await holder.ended;
      succeed("down", "--all");
      expect(sandbox.snapshot()).toEqual(before);
    });
  });

  describe("up and down leave the machine exactly as it was, and names, MACs and addresses come back the same", () => {
    const identity = () =>
      Object.values(domains("alpha")).map(({ id, domain, interfaces }) => ({ id, domain, interfaces }));

    for (const platform of ["container", "shared", "namespace"]) {
      test(platform, () => {
        const file = labFile(platform === "namespace" ? NAMESPACES : LAB);
        const up = ["up", file, "--platform", platform];
        succeed(...up);
        const first = identity();
        succeed("down", file);
        expect(sandbox.snapshot()).toEqual(before);
        succeed(...up);
        expect(identity()).toEqual(first);
        expect(pings("cloison.alpha.station", "10.77.0.11")).toBe(true);
        succeed("down", "alpha");
        expect(sandbox.snapshot()).toEqual(before);
      });
    }

    test("also when the writable layers are file systems of their own, and one platform follows another", () => {
      const file = labFile(LAB.replaceAll("image: plain,", "image: plain, disk: 16M,"));
      succeed("up", file);
      expect(sandbox.snapshot().loops).toHaveLength(2);
      succeed("up", file, "--platform", "shared");
      expect(json("ls")).toMatchObject([{ platform: "shared", domains: 1, running: 1 }]);
      succeed("down", "alpha");
      expect(sandbox.snapshot()).toEqual(before);
    });

    test("an up that fails leaves nothing", () => {
      const failed = sandbox.cloison("up", labFile(LAB.replace("two: {", "two: { disk: 1K,")));
      expect(failed).toMatchObject({ code: 5 });
      expect(failed.stderr).toMatch(/too few for a file system\n {2}write 2M or more/);
      expect(sandbox.snapshot()).toEqual(before);
    });

    test("an up that is interrupted leaves nothing", async () => {
      const up = sandbox.start([process.execPath, PROGRAM, "up", labFile(LAB)]);
      await eventually(() => sandbox.run(["sh", "-c", "ls /run/netns || true"]).stdout.includes("cloison.alpha.one"));
      up.child.kill("SIGINT");
      const ended = await up.ended;
      // The very end of an `up` can no longer be interrupted.
      if (ended.code === 0) succeed("down", "alpha");
      else expect(ended).toMatchObject({ code: 130 });
      expect(sandbox.snapshot()).toEqual(before);
    });
  });

  describe("what is wrong is said", () => {
    afterEach(() => expect(sandbox.snapshot()).toEqual(before));

    const refusal = (code: number, message: RegExp) => ({
      code,
      stdout: "",
      stderr: expect.stringMatching(message) as string,
    });

    test("files", () => {
      expect(sandbox.cloison("up", "nowhere.yaml")).toEqual(refusal(2, /^there is no file nowhere\.yaml\n/));
      expect(sandbox.cloison("up", labFile(LAB.replace("memory: 64M", "memroy: 64M")))).toEqual(
        refusal(2, /:10:\d+ domains\.one\.memroy: .*memory/),
      );
      expect(sandbox.cloison("up", labFile(LAB), "--platform", "vmware")).toEqual(refusal(2, /container/));
      expect(sandbox.cloison("down", "../../nowhere")).toEqual(refusal(2, /^there is no file \.\.\/\.\.\/nowhere\n/));
      expect(sandbox.cloison("down", "/etc")).toEqual(refusal(2, /^\/etc is a directory, not a file\n/));
    });

    test("labs and domains", () => {
      expect(succeed("down", "nowhere")).toBe("lab nowhere: not there\n");
      expect(succeed("down", "--all")).toBe("there is no lab\n");
      expect(succeed("ls")).toMatch(/^there is no lab/);
      expect(sandbox.cloison("ps", "nowhere")).toEqual(
        refusal(2, /^there is no lab nowhere\n {2}cloison up FILE makes one\n/),
      );
      expect(sandbox.cloison("exec", "../alpha", "one", "--", "true")).toEqual(
        refusal(2, /^there is no lab \.\.\/alpha\n/),
      );
      expect(sandbox.cloison("down")).toEqual(refusal(2, /name a lab, or say --all/));
      succeed("up", labFile(LAB));
      expect(sandbox.cloison("logs", "alpha", "three")).toEqual(
        refusal(2, /^lab alpha has no domain three\n {2}it has one, two\n/),
      );
      expect(sandbox.cloison("ps", "alhpa")).toEqual(refusal(2, /^there is no lab alhpa\n {2}there is alpha\n/));
      succeed("down", "alpha");
    });

    test("nothing of it that a reader has had enough", () => {
      const script = '"$@" | true';
      expect(sandbox.run(["sh", "-c", script, "sh", process.execPath, PROGRAM, "schema", "lab"])).toMatchObject({
        code: 0,
        stderr: "",
      });
    });

    test("as JSON, too", () => {
      const ended = sandbox.cloison("up", "nowhere.yaml", "--json");
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      expect(JSON.parse(ended.stderr)).toEqual({ error: "there is no file nowhere.yaml", hint: null, exit: 2 });
    });
  });
});

const eventually = (holds: () => boolean) =>
  vi.waitFor(() => expect(holds()).toBe(true), { timeout: 30_000, interval: 5 });

/** Domains without files of their own: names, MACs, addresses. */
const NAMESPACES = LAB.replaceAll(", address: dhcp", "").replace(/one: \{/, "one: { services: [],");

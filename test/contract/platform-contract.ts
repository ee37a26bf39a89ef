import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { LabError } from "../../src/model/error.ts";
import type { DomainLimits, DomainPlan } from "../../src/model/plan.ts";
import type { Platform, Workspace } from "../../src/platforms/platform.ts";
import { createScratchLab, type ScratchLab } from "./scratch-lab.ts";
import { smallDomain, smallPlan } from "./small-plan.ts";

export interface PlatformUnderTest {
  create(): Platform;
  /** Makes a root file system in the directory, returns its path; null: domains have none of their own. */
  makeRootfs: ((directory: string) => string | Promise<string>) | null;
  /** Of a domain; default: 64 MiB. */
  memoryBytes?: number;
  /** What a domain's control group has beyond its own limits. */
  beyond?: { memoryBytes: number; processes: number };
  /** Limits that are kept elsewhere than in the domain's control group: as they are, and as they should be. */
  limits?: (scratch: ScratchLab, limits: DomainLimits) => Promise<{ found: unknown; wanted: unknown }>;
  /** How many times as long as on a machine of its own something may take; default: 1. */
  patience?: number;
  /** Whether it counts when a domain was throttled; default: yes. */
  countsThrottling?: boolean;
}

/** What every platform does alike, tried for real. */
export function describePlatform(name: string, under: PlatformUnderTest): void {
  describe(`platform ${name}`, () => {
    const platform = under.create();
    const lab = `ct-${name}-${process.pid}`;
    let scratch: ScratchLab;
    const { limits } = smallDomain(lab, "one");
    const { patience = 1 } = under;
    limits.memoryBytes = under.memoryBytes ?? limits.memoryBytes;
    const small = (domain: string, changes: Partial<DomainPlan> = {}) =>
      smallDomain(lab, domain, { limits, ...changes });

    beforeAll(async () => void (scratch = await createScratchLab(lab, platform, under.makeRootfs, { limits })));
    afterEach(async () => {
      if (!isStillGood) await leaveNothing();
      isStillGood = false;
    });
    afterAll(async () => {
      await leaveNothing();
      scratch.close();
    });

    async function leaveNothing(): Promise<void> {
      running = null;
      await scratch.tearDown();
      expect(await scratch.residue()).toEqual([]);
    }

    /** A domain that the tests that do it no harm share: they come last, as every other begins with none. */
    let running: DomainPlan | null = null;
    let isStillGood = false;
    function harmless(what: string, work: (domain: DomainPlan) => Promise<void>): void {
      test(what, async () => {
        running ??= await scratch.up();
        await work(running);
        expect((await scratch.states())["one"]).toMatchObject({ state: "running" });
        isStillGood = true;
      });
    }

    /** Two services, one of which ends soon. */
    const services = {
      talker: { command: ["sh", "-c", `echo "it's talking"; sleep 300`] },
      mortal: { command: ["sh", "-c", "sleep 3; exit 3"] },
    };
    const withServices = (...names: (keyof typeof services)[]) => ({
      recipe: { ...small("one").recipe, services },
      services: names,
    });

    /** Limits of `one` as they are kept, and as they should be. */
    async function limitsOf(wanted: DomainLimits): Promise<{ found: unknown; wanted: unknown }> {
      if (under.limits !== undefined) return under.limits(scratch, wanted);
      const read = async (controller: string, file: string) =>
        (await scratch.host.cgroups.read(`${scratch.group}/one`, controller, file))?.trim();
      const memoryBytes = String(wanted.memoryBytes + (under.beyond?.memoryBytes ?? 0));
      const processes = String(wanted.pids + (under.beyond?.processes ?? 0));
      const quota = String((wanted.cpus ?? 0) * wanted.cpuPeriodMs * 1000);
      const files =
        scratch.host.cgroups.version === 1
          ? [
              ["cpu", "cpu.cfs_quota_us", quota],
              ["cpu", "cpu.cfs_period_us", "20000"],
              ["cpu", "cpu.shares", String(wanted.shares)],
              ["cpuset", "cpuset.cpus", "0"],
              ["memory", "memory.limit_in_bytes", memoryBytes],
              ["pids", "pids.max", processes],
            ]
          : [
              ["cpu", "cpu.max", `${quota} 20000`],
              ["cpuset", "cpuset.cpus", "0"],
              ["memory", "memory.max", memoryBytes],
              ["memory", "memory.swap.max", "0"],
              ["pids", "pids.max", processes],
            ];
      const found = await Promise.all(
        files.map(async ([controller = "", file = ""]) => [controller, file, await read(controller, file)]),
      );
      return { found, wanted: files };
    }

    test("says whether it works, by trying", async () => {
      expect(await platform.check(scratch.host)).toMatchObject({ available: true });
    });

    // Not every platform has this facet.
    for (const pausing of platform.pausing === undefined ? [] : [platform.pausing]) {
      test("stands still and goes on", async () => {
        const domain = await scratch.up(withServices("talker"));
        const cpuNs = async () => (await platform.usage(scratch.host, scratch.workspace, "one")).cpuNs ?? 0;
        const busy = scratch.run(domain, "i=0; while [ $i -lt 20 ]; do i=$((i + 1)); sleep 0.1; done; echo done");
        await scratch.host.clock.sleep(300);
        for (const _ of ["once", "twice"]) await pausing.pause(scratch.host, scratch.workspace, "one");
        expect((await scratch.states())["one"]).toMatchObject({ state: "paused", pid: expect.any(Number) as number });
        const before = await cpuNs();
        await scratch.host.clock.sleep(500);
        expect((await cpuNs()) - before).toBeLessThan(20e6);
        await platform.start(scratch.host, scratch.workspace, scratch.plan, domain);
        expect((await scratch.states())["one"]).toMatchObject({ state: "paused" });
        for (const _ of ["once", "twice"]) await pausing.resume(scratch.host, scratch.workspace, "one");
        expect((await scratch.states())["one"]).toMatchObject({ state: "running" });
        expect(await busy).toMatchObject({ code: 0, stdout: "done\n" });
        await pausing.pause(scratch.host, scratch.workspace, "one");
        await platform.destroy(scratch.host, scratch.workspace, lab, "one");
        await expect(pausing.pause(scratch.host, scratch.workspace, "one")).rejects.toThrow(/does not run/);
      });
    }

    // Not every platform has this facet.
    for (const limiting of platform.limiting === undefined ? [] : [platform.limiting]) {
      test("goes on with other limits, and then with those it had before", async () => {
        const before = await scratch.up({ limits: { ...limits, memoryBytes: limits.memoryBytes + 16 * 2 ** 20 } });
        await scratch.run(before, "true");
        const running = scratch.run(before, "i=0; while [ $i -lt 20 ]; do i=$((i + 1)); sleep 0.1; done; echo done");
        const fits = (domain: DomainPlan, changes: Partial<DomainLimits>) =>
          limiting.fits(scratch.host, scratch.workspace, domain, {
            ...domain,
            limits: { ...domain.limits, ...changes },
          });
        const { memoryBytes } = limits;
        const changes = {
          cpus: 0.25,
          shares: 256,
          ...((await fits(before, { memoryBytes })) ? { memoryBytes } : {}),
        };
        expect(await fits(before, changes)).toBe(true);
        const after = { ...before, limits: { ...before.limits, ...changes } };
        expect(await fits(after, before.limits)).toBe(true);
        for (const domain of [after, before, after]) {
          await limiting.set(scratch.host, scratch.workspace, domain);
          const deadlineMs = performance.now() + 20_000 * patience;
          let { found, wanted } = await limitsOf(domain.limits);
          // Memory comes back bit by bit.
          while (JSON.stringify(found) !== JSON.stringify(wanted) && performance.now() < deadlineMs) {
            await scratch.host.clock.sleep(200);
            ({ found, wanted } = await limitsOf(domain.limits));
          }
          expect(found).toEqual(wanted);
        }
        expect(await running).toMatchObject({ code: 0, stdout: "done\n" });
      });
    }

    test("holds a fork bomb inside and counts its processes", async () => {
      const domain = await scratch.up();
      await scratch.run(domain, "bomb() { bomb | bomb & }; bomb; sleep 300", { timeoutMs: 2000 * patience });
      expect(execFileSync("sh", ["-c", "echo $((6 * 7))"], { encoding: "utf8" })).toBe("42\n");
      expect((await scratch.host.cgroups.pids(`${scratch.group}/one`)).length).toBeLessThanOrEqual(64);
      const usage = await platform.usage(scratch.host, scratch.workspace, "one");
      // Linux before 6.12 counts none.
      if (usage.pidsPeak !== null) expect(usage.pidsPeak).toBe(64);
    });

    test("holds a memory bomb inside and counts what the kernel killed", async () => {
      const domain = await scratch.up();
      const exit = await scratch.run(domain, "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done", { timeoutMs: 30_000 });
      expect(exit.signal === "SIGKILL" || exit.code !== 0).toBe(true);
      expect(await platform.usage(scratch.host, scratch.workspace, "one")).toMatchObject({
        oomKills: expect.toSatisfy((kills: number) => kills >= 1) as number,
      });
      expect(execFileSync("sh", ["-c", "echo $((6 * 7))"], { encoding: "utf8" })).toBe("42\n");
    });

    test("is the only domain that a domain's end ends", async () => {
      const domains = await scratch.build(small("one"), small("two"));
      for (const domain of domains) {
        await platform.prepare(scratch.host, scratch.workspace, scratch.plan, domain);
        await platform.start(scratch.host, scratch.workspace, scratch.plan, domain);
      }
      expect(await scratch.states()).toMatchObject({
        one: { state: "running", orphan: false },
        two: { state: "running", orphan: false },
      });
      await platform.destroy(scratch.host, scratch.workspace, lab, "one");
      await scratch.host.namespaces.remove([`cloison.${lab}.one`]);
      expect(await scratch.states()).toEqual({ two: expect.objectContaining({ state: "running" }) as unknown });
      const [, two] = domains;
      if (two === undefined) throw new Error("no second domain");
      expect((await scratch.run(two, "uname -n")).stdout).toBe("two\n");
    });

    test("runs services, keeps what they print, and stops when one ends", async () => {
      const domain = await scratch.up(withServices("talker", "mortal"));
      expect((await scratch.states())["one"]).toMatchObject({ state: "running", pid: expect.any(Number) as number });
      while ((await scratch.states())["one"]?.state === "running") await scratch.host.clock.sleep(100);
      expect((await scratch.states())["one"]).toMatchObject({ state: "stopped", pid: null });
      const log = readFileSync(platform.logFile(scratch.workspace, domain.name), "utf8");
      expect(log).toContain("it's talking");
      expect(log).toContain("service mortal ended with exit 3");
      expect(await scratch.host.cgroups.pids(`${scratch.group}/one`)).toEqual([]);
      await platform.start(scratch.host, scratch.workspace, scratch.plan, domain);
      expect((await scratch.states())["one"]).toMatchObject({ state: "running" });
    });

    test("refuses a service that the image lacks", async () => {
      await expect(scratch.up({ services: ["apache"] })).rejects.toThrow(LabError);
    });

    test("is destroyed from every state, and twice", async () => {
      const [domain] = await scratch.build(small("one"));
      if (domain === undefined) throw new Error("no domain");
      const destroy = () => platform.destroy(scratch.host, scratch.workspace, lab, "one");
      await destroy();
      await platform.prepare(scratch.host, scratch.workspace, scratch.plan, domain);
      await destroy();
      await destroy();
      await platform.prepare(scratch.host, scratch.workspace, scratch.plan, domain);
      await platform.start(scratch.host, scratch.workspace, scratch.plan, domain);
      await platform.start(scratch.host, scratch.workspace, scratch.plan, domain);
      const running = scratch.run(domain, "sleep 300");
      await scratch.host.clock.sleep(200 * patience);
      await Promise.all([destroy(), running]);
      expect(await scratch.host.cgroups.pids(scratch.group)).toEqual([]);
    });

    test("records how to undo a step before it takes it", async () => {
      const domain = small("one", withServices("talker"));
      await scratch.build(domain);
      const failing: Workspace = { ...scratch.workspace, record: async () => Promise.reject(new Error("disk full")) };
      await expect(platform.prepare(scratch.host, failing, scratch.plan, domain)).rejects.toThrow("disk full");
      expect((await scratch.residue()).filter((line) => !line.startsWith("cloison."))).toEqual([]);
      await platform.prepare(scratch.host, scratch.workspace, scratch.plan, domain);
      expect(scratch.undos).toContainEqual({ kind: "domain", platform: platform.name, lab, name: "one" });
    });

    harmless("runs a program under the domain's host name and hands back what it wrote", async (domain) => {
      const exit = await scratch.run(domain, "uname -n; echo oops >&2; read line; echo $line $COLOUR", {
        stdin: "hello\n",
        env: { COLOUR: "red" },
      });
      expect(exit).toMatchObject({
        code: 0,
        signal: null,
        stdout: "one\nhello red\n",
        stderr: "oops\n",
        timedOut: false,
      });
    });

    harmless(
      "hands back all that a program printed before it ended to one who reads slowly, and not what goes on",
      async (domain) => {
        let bytes = 0;
        const stdout = (chunk: Uint8Array) => {
          // Nothing is read meanwhile.
          if (bytes === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
          bytes += chunk.length;
        };
        const print = "head -c 60000 /dev/zero | tr '\\0' x";
        expect(await scratch.run(domain, print, { output: { stdout } })).toMatchObject({ code: 0 });
        expect(bytes).toBe(60_000);
        // Of others the pipe itself is handed over.
        if (platform.ownKernels !== true) return;
        expect(await scratch.run(domain, "while :; do echo more; done & sleep 1")).toMatchObject({ code: 0 });
      },
    );

    harmless("hands back exit codes and signals", async (domain) => {
      expect(await scratch.run(domain, "exit 7")).toMatchObject({ code: 7, signal: null });
      expect(await scratch.run(domain, "kill -TERM $$")).toMatchObject({ code: null, signal: "SIGTERM" });
      expect(
        await platform.exec(scratch.host, scratch.workspace, scratch.plan, domain, ["no-such-program"]),
      ).toMatchObject({ code: 127 });
      expect(
        await platform.exec(scratch.host, scratch.workspace, scratch.plan, domain, ["/no/such/program"]),
      ).toMatchObject({ code: 127 });
      expect(await platform.exec(scratch.host, scratch.workspace, scratch.plan, domain, ["/etc/passwd"])).toMatchObject(
        { code: 126 },
      );
    });

    harmless("runs as another user", async (domain) => {
      expect((await scratch.run(domain, "id -u; id -g", { user: "1000:1000" })).stdout).toBe("1000\n1000\n");
      await expect(scratch.run(domain, "true", { user: "nobody-at-all" })).rejects.toThrow(/no user nobody-at-all/);
    });

    harmless("ends a program that takes too long, with all that it started", async (domain) => {
      const exit = await scratch.run(domain, "sleep 4711 & sleep 4711 & sleep 4711", { timeoutMs: 500 });
      expect(exit.timedOut).toBe(true);
      // Also while it is only being started.
      for (const afterMs of [0, 5, 10, 15, 20, 25, 30, 40, 50, 80, 300]) {
        const abort = new AbortController();
        const aborted = scratch.run(domain, "sleep 4711 & sleep 4711", { signal: abort.signal }).then(
          () => "ended",
          (error: unknown) => String(error),
        );
        await scratch.host.clock.sleep(afterMs);
        abort.abort();
        expect(await aborted).toMatch(/abort/i);
      }
      // From inside, too: a guest's processes are not the host's.
      const inside = await scratch.run(
        domain,
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -x '47[1]1'",
      );
      expect(inside).toMatchObject({ code: 1, stdout: "" });
      const left = (await scratch.host.cgroups.pids(`${scratch.group}/one`)).map((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, "utf8"),
      );
      expect(left.filter((line) => line.includes("4711"))).toEqual([]);
    });

    harmless(
      "asks a program to end, which then ends as it likes, and gives away what it prints meanwhile",
      async (domain) => {
        const end = new AbortController();
        let printed = "";
        const stdout = (chunk: Uint8Array) => {
          printed += Buffer.from(chunk).toString();
          if (printed === "ready\n") end.abort();
        };
        const script = "trap 'echo asked; exit 3' TERM; echo oops >&2; echo ready; while :; do sleep 0.1; done";
        const exit = await scratch.run(domain, script, { end: end.signal, output: { stdout } });
        expect(exit).toMatchObject({ code: 3, signal: null, stdout: "", stderr: "oops\n" });
        expect(printed).toBe("ready\nasked\n");
      },
    );

    harmless("puts what it runs under the domain's limits", async (domain) => {
      expect((await scratch.run(domain, "grep Cpus_allowed_list /proc/self/status")).stdout).toMatch(/\s0$/m);
      const { found, wanted } = await limitsOf(limits);
      expect(found).toEqual(wanted);
    });

    harmless("counts CPU time and throttling", async (domain) => {
      const usage = () => platform.usage(scratch.host, scratch.workspace, "one");
      const before = await usage();
      await scratch.run(domain, "while :; do :; done", { timeoutMs: 1500 });
      const after = await usage();
      const more = (key: "cpuNs" | "nrThrottled" | "throttledNs") => (after[key] ?? 0) - (before[key] ?? 0);
      expect(more("cpuNs")).toBeGreaterThan(10e6);
      if (under.countsThrottling === false) return;
      expect(more("nrThrottled")).toBeGreaterThan(0);
      expect(more("throttledNs")).toBeGreaterThan(0);
    });

    harmless("shows what no plan knows as an orphan", async (domain) => {
      const without = smallPlan(lab, platform.name, []);
      expect(await platform.list(scratch.host, scratch.workspace, without)).toMatchObject([
        { name: domain.name, lab, orphan: true },
      ]);
    });
  });
}

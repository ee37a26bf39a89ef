import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Result, Trial } from "../../src/model/result.ts";
import { xoshiro128, xoshiro128State } from "../../src/schedule/xoshiro128.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { pidsIn, trialsIn, until } from "../run-control.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

const LAB = `
name: faults
host: { cpus: 1 }
images: { web: { recipe: web } }
networks: { lan: { subnet: 10.25.0.0/24 } }
domains:
  apache1: { image: web, cpus: 0.3, memory: 256M, pids: 256, sites: [{ name: apache1 }] }
  apache2: { image: web, cpus: 0.3, memory: 256M, pids: 256, sites: [{ name: apache2 }] }
`;

const experiment = (blocks: number, duration: string) => `
name: faults
lab: lab.yaml
platforms: [container]
seed: 3
blocks: ${blocks}
duration: ${duration}
settle: 200ms
probes: [{ probe: http, target: apache1, rate: 100, timeout: 2s }]
annex: { blocks: 0 }
phases:
  reference: {}
  flood: { floods: [{ on: apache2, concurrency: 50 }] }
`;

/** Moments of a run, ms from its start, at which it is killed; drawn once, to be the same each time. */
const draw = xoshiro128(xoshiro128State(20260101));
const KILL_DELAYS_MS = Array.from({ length: 5 }, () => 400 + (draw() % 6000));

needs(...LAB_NEEDS)("a run that something befalls", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let runs = 0;

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    writeFileSync(join(sandbox.folder, "lab.yaml"), LAB);
    writeFileSync(file("short"), experiment(1, "1s"));
    writeFileSync(file("long"), experiment(2, "1s"));
    writeFileSync(file("slow"), experiment(1, "3s"));
    // What the program keeps for good (locks' folder, images) is there from here on.
    expect(sandbox.cloison("down", "--all").code).toBe(0);
    before = sandbox.snapshot();
  });
  // A test that failed half-way is no reason for the next to fail.
  afterEach(() => {
    const left = children.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    for (const child of left) child.kill("SIGKILL");
    if (left.length > 0) sandbox.cloison("down", "--all");
  });
  afterAll(() => sandbox.close());

  const file = (name: string) => join(sandbox.folder, `${name}.yaml`);
  const children: ChildProcess[] = [];
  function start(...args: string[]) {
    const run = sandbox.start([process.execPath, PROGRAM, "run", ...args]);
    children.push(run.child);
    return run;
  }
  const newFolder = () => join(sandbox.folder, `run${++runs}`);
  const resultOf = (folder: string) => JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as Result;
  const nothingIsLeft = () => expect(sandbox.snapshot()).toEqual(before);
  const reasonsOf = (trials: Trial[]) => trials.flatMap(({ reasons }) => reasons);
  const cellsOf = (trials: Trial[]) => [...new Set(trials.map(({ block, phase }) => `${block} ${phase}`))];

  /** It came to its end; whether it is valid is the machine's affair. */
  function completed(folder: string, code: number | null, said: string): Result {
    const result = resultOf(folder);
    expect({ code, complete: result.complete, said }).toEqual({ code: result.valid ? 0 : 1, complete: true, said });
    return result;
  }

  /** Resumes the run to its end: what it holds is kept, and the rest comes in the order of the schedule. */
  async function resumes(folder: string): Promise<void> {
    const kept = trialsIn(folder);
    const resumed = await start("--resume", folder).ended;
    const { trials } = completed(folder, resumed.code, resumed.stderr);
    expect(trialsIn(folder).slice(0, kept.length)).toEqual(kept);
    expect(cellsOf(trials)).toEqual(schedule);
    nothingIsLeft();
  }
  let schedule: string[] = [];

  test("without any fault, it comes to its end", async () => {
    const folder = newFolder();
    const run = await start(file("long"), "--out", folder).ended;
    schedule = cellsOf(completed(folder, run.code, run.stderr).trials);
    expect(schedule).toHaveLength(4);
    nothingIsLeft();
  });

  test("Ctrl-C ends it in order: what is done is kept, and can be gone on with; a second run meanwhile is told that it is busy", async () => {
    const folder = newFolder();
    const { child, ended } = start(file("long"), "--out", folder);
    await until(() => trialsIn(folder).length > 0, ended);

    const other = newFolder();
    expect(sandbox.cloison("run", file("long"), "--out", other)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("lab faults-container is in use by another cloison") as unknown,
    });
    expect(existsSync(other)).toBe(false);
    expect(sandbox.cloison("run", "--resume", folder).code).toBe(4);

    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: expect.stringContaining(`cloison run --resume ${folder} goes on`) as unknown,
    });
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(resultOf(folder)).toMatchObject({ complete: false, valid: false });
    nothingIsLeft();
    await resumes(folder);
  });

  test("Ctrl-C before the first trial", async () => {
    const folder = newFolder();
    const { child, ended } = start(file("short"), "--out", folder);
    await until(() => existsSync(join(folder, "environment.json")), ended);
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect({ code, stderr }).toMatchObject({ code: 130 });
    expect(trialsIn(folder)).toEqual([]);
    nothingIsLeft();
  });

  test("killed at five moments, it leaves nothing that down --all can't remove, and goes on", async () => {
    let folder = newFolder();
    for (const [i, delayMs] of KILL_DELAYS_MS.entries()) {
      const resumable = existsSync(folder);
      const { child, ended } = resumable ? start("--resume", folder) : start(file("long"), "--out", folder);
      await setTimeout(delayMs);
      child.kill("SIGKILL");
      await ended;
      // The last time, the next run itself has to cope with what is left.
      if (i === KILL_DELAYS_MS.length - 1) break;
      const down = sandbox.cloison("down", "--all");
      expect({ delayMs, code: down.code, said: down.code === 0 ? "" : down.stderr }).toEqual({
        delayMs,
        code: 0,
        said: "",
      });
      expect({ delayMs, ...sandbox.snapshot() }).toEqual({ delayMs, ...before });
      if (existsSync(folder) && trialsIn(folder).length >= 4) folder = newFolder();
    }
    await resumes(folder);
  });

  describe("goes on when", () => {
    /** Runs, and while the second trial is under way, does it. */
    async function afterFirstTrial(experimentFile: string, fault: () => void, delayMs: number): Promise<Trial[]> {
      const folder = newFolder();
      const { ended } = start(experimentFile, "--out", folder);
      await until(() => trialsIn(folder).length > 0, ended);
      await setTimeout(delayMs);
      fault();
      const { code, stderr } = await ended;
      const { trials } = completed(folder, code, stderr);
      nothingIsLeft();
      return trials;
    }
    /** Attempts at the same trial, after the one that the fault made invalid. */
    const repeated = (trials: Trial[], reason: string) => {
      const hit = trials.find(({ reasons }) => reasons.some((one) => one.includes(reason)));
      if (hit === undefined) throw new Error(`no trial is invalid for this: ${JSON.stringify(reasonsOf(trials))}`);
      return trials.filter(
        ({ block, phase, attempt }) => block === hit.block && phase === hit.phase && attempt > hit.attempt,
      );
    };
    /** From one shell: the first that dies may take the others along. */
    const kill = (pids: number[], signal: string) => {
      expect(pids.length).toBeGreaterThan(0);
      sandbox.run(["sh", "-c", 'kill -s "$@" 2>/dev/null || true', "sh", signal, ...pids.map(String)]);
    };
    const isMeasured = ({ readings }: Trial) => readings.some(({ metric }) => metric === "http");

    test("a domain dies during a trial", async () => {
      const trials = await afterFirstTrial(
        file("slow"),
        () => kill(pidsIn(sandbox, "faults-container/apache1"), "KILL"),
        1500,
      );
      const after = repeated(trials, "domain apache1 died during the trial");
      expect(after.filter(isMeasured).length).toBeGreaterThan(0);
      expect(reasonsOf(after).filter((reason) => reason.includes("died"))).toEqual([]);
    });

    test("the station's clients are killed", async () => {
      const trials = await afterFirstTrial(
        file("slow"),
        () => kill(pidsIn(sandbox, "faults-container/station"), "KILL"),
        1500,
      );
      const after = repeated(trials, "the load client ended by itself (SIGKILL)");
      expect(after.filter(isMeasured).length).toBeGreaterThan(0);
      expect(reasonsOf(after).filter((reason) => reason.includes("broke off"))).toEqual([]);
    });

    test("Apache never answers", async () => {
      const trials = await afterFirstTrial(
        file("slow"),
        () => kill(pidsIn(sandbox, "faults-container/apache1", "apache2"), "STOP"),
        1500,
      );
      // The trial that it befell tells of timeouts; the next finds nobody at home, and is repeated on a lab made anew.
      const unanswered = trials.filter(({ readings }) =>
        readings.some((one) => one.metric === "http" && one.timeouts > 0),
      );
      expect(unanswered.length).toBeGreaterThan(0);
      const after = repeated(trials, "apache1 did not answer within 30 s before the trial");
      expect(after.filter(isMeasured).length).toBeGreaterThan(0);
    });
  });

  test("a full disk ends it with a clear error; the trials before are kept, and with room it goes on", async () => {
    const disk = join(sandbox.folder, "disk");
    mkdirSync(disk);
    const sh = (script: string) => expect(sandbox.run(["sh", "-ec", script, "sh", disk])).toMatchObject({ code: 0 });
    sh('truncate -s 4M "$1.img"; mke2fs -q -t ext2 "$1.img"; mount -o loop "$1.img" "$1"');
    try {
      const folder = join(disk, "run");
      const { ended } = start(file("long"), "--out", folder);
      // Seen from the sandbox only.
      const lines = () => Number(sandbox.run(["sh", "-c", `grep -c . "${folder}/trials.jsonl" || true`]).stdout);
      await until(() => lines() > 0, ended);
      sh('dd if=/dev/zero of="$1/fill" bs=1k 2>/dev/null || true');
      const { code, stderr } = await ended;
      expect({ code, stderr }).toEqual({
        code: 5,
        stderr: expect.stringContaining("could not be saved: ENOSPC") as unknown,
      });
      expect(stderr).toContain(`--resume ${folder}`);
      expect(stderr).not.toMatch(/\n\s+at /);
      const kept = lines();
      expect(kept).toBeGreaterThan(0);

      sh('rm "$1/fill"');
      const resumed = await start("--resume", folder).ended;
      expect({ ended: [0, 1].includes(resumed.code ?? -1), said: resumed.stderr }).toMatchObject({ ended: true });
      expect(lines()).toBeGreaterThan(kept);
    } finally {
      sh('umount "$1"');
      rmSync(`${disk}.img`);
    }
    nothingIsLeft();
  });

  test("a lab of its name that the user has up is not touched", () => {
    writeFileSync(file("own"), LAB.replace("name: faults", "name: faults-container"));
    expect(sandbox.cloison("up", file("own")).code).toBe(0);
    const inSight = ({ mounts, namespaces, cgroups }: KernelSnapshot) => ({ mounts, namespaces, cgroups });
    const up = inSight(sandbox.snapshot());
    const folder = newFolder();
    expect(sandbox.cloison("run", file("short"), "--out", folder)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("there is a lab faults-container already, and no run made it") as unknown,
    });
    expect(existsSync(folder)).toBe(false);
    expect(inSight(sandbox.snapshot())).toEqual(up);
    expect(sandbox.cloison("down", "faults-container").code).toBe(0);
    nothingIsLeft();
  });
});

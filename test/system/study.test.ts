import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { environmentSchema, resultSchema, type Reading, type Result, type Trial } from "../../src/model/result.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { experimentSchema } from "../../src/model/experiment.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";

const EXAMPLE = join(process.cwd(), "examples/miniature");
const POSITIVE: unknown = expect.toSatisfy((value: number) => value > 0);

needs(...LAB_NEEDS)("the study in miniature", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let after: KernelSnapshot;
  let ended: Ended;
  let folder = "";
  let result: Result;

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
    folder = join(sandbox.folder, "run");
    const experiment = join(EXAMPLE, "experiment.yaml");
    ended = await sandbox.start([process.execPath, PROGRAM, "run", experiment, "--out", folder, "--json"]).ended;
    after = sandbox.snapshot();
    if (ended.code !== 0 && ended.code !== 1) throw new Error(`the run failed: ${JSON.stringify(ended)}`);
    result = JSON.parse(text("result.json")) as Result;
  });
  afterAll(() => sandbox.close());

  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  /** The last attempt of each: whether it is valid is the machine's affair, that it has measured is ours. */
  const last = (phase: string, platform: string): Trial => {
    const trial = result.trials.findLast((one) => one.phase === phase && one.platform === platform);
    if (trial === undefined) throw new Error(`${phase} on ${platform} was not run`);
    return trial;
  };
  const readingsOf = <M extends Reading["metric"]>(metric: M, trials: Trial[] = result.trials) =>
    trials.flatMap(({ readings }) =>
      readings.filter((one): one is Extract<Reading, { metric: M }> => one.metric === metric),
    );
  const probeOf = (trial: Trial) => {
    const probe = readingsOf("http", [trial]).find(({ role }) => role === "probe");
    if (probe === undefined) throw new Error(`${trial.id} has no probe`);
    return probe;
  };

  test("leaves nothing behind", () => {
    expect(after).toEqual(before);
  });

  test("the exit code is 1 if, and only if, the run is not valid", () => {
    expect(ended.code).toBe(result.valid ? 0 : 1);
    expect(result.valid).toBe(result.reasons.length === 0);
  });

  test("--json prints JSON on stdout, and nothing else", () => {
    const { valid, complete, reasons } = result;
    expect(JSON.parse(ended.stdout)).toEqual({ directory: folder, valid, complete, reasons });
  });

  describe("the run folder", () => {
    test("holds everything, and a result as its schema says", () => {
      expect(readdirSync(folder).toSorted()).toEqual([
        "calibration.json",
        "environment.json",
        "experiment.yaml",
        "lab.yaml",
        "report.html",
        "result.json",
        "samples",
        "table.csv",
        "trials.jsonl",
      ]);
      expect(resultSchema.parse(result)).toEqual(result);
      expect(environmentSchema.parse(JSON.parse(text("environment.json")))).toEqual(result.environment);
      expect(text("lab.yaml")).toBe(readFileSync(join(EXAMPLE, "lab.yaml"), "utf8"));
      expect(text("report.html")).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/i);
      expect(text("report.html")).toContain('<p class="kicker">Cloison · ');
      expect(text("table.csv")).toMatch(/^figure,platform,/);
    });

    test("its experiment is complete in itself", () => {
      expect(experimentSchema.parse(parse(text("experiment.yaml")))).toMatchObject({
        seed: 7,
        lab: "lab.yaml",
        blocks: 1,
      });
    });

    test("has the samples of every trial, each row counted once in a reading", async () => {
      expect(readdirSync(join(folder, "samples")).toSorted()).toEqual(
        result.trials.map(({ id }) => `${id}.parquet`).toSorted(),
      );
      const connection = await (await DuckDBInstance.create(":memory:")).connect();
      for (const { id, readings } of result.trials) {
        const file = join(folder, "samples", `${id}.parquet`);
        const rows = await connection.runAndReadAll(
          `select reading, count(*)::int as rows from '${file}' group by reading`,
        );
        const counted = rows.getRowObjectsJson().reduce((sum, row) => sum + Number(row["rows"]), 0);
        const told = readings.reduce((sum, reading) => sum + rowsOf(reading), 0);
        expect({ id, rows: counted }).toEqual({ id, rows: told });
      }
      connection.closeSync();
    });
  });

  function rowsOf(reading: Reading): number {
    switch (reading.metric) {
      case "http":
      case "flood":
        return reading.requests + reading.cutOff;
      case "ping":
        return reading.sent;
      case "connect":
        return reading.requests;
      case "transfer":
        return 1;
      case "stress":
        return 0;
    }
  }

  test("trials come in the order of the schedule, repeated until valid, as often as may be", () => {
    const experiment = experimentSchema.parse(parse(text("experiment.yaml")));
    const order = result.trials.map(({ platform, phase }) => `${platform} ${phase}`);
    const scheduled = schedule(experiment, 7).map(({ platform, phase }) => `${platform} ${phase}`);
    expect([...new Set(order)]).toEqual(scheduled);
    expect(result.complete).toBe(true);
    for (const cell of scheduled) {
      const attempts = result.trials.filter(({ platform, phase }) => `${platform} ${phase}` === cell);
      expect(attempts.map(({ attempt }) => attempt)).toEqual(attempts.map((_, i) => i + 1));
      expect(attempts.length).toBeLessThanOrEqual(5);
      expect(attempts.slice(0, -1).filter(({ valid }) => valid)).toEqual([]);
      expect(attempts.length >= 3 || attempts.at(-1)?.valid).toBe(true);
    }
  });

  test("no trial broke off, and an invalid one says why, at once", () => {
    const reasons = result.trials.flatMap(({ reasons: of }) => of);
    expect(reasons.filter((reason) => reason.includes("broke off"))).toEqual([]);
    for (const { valid, reasons: of } of result.trials) expect(valid).toBe(of.length === 0);
    const told = ended.stderr.split("\n").filter((line) => line.startsWith("not valid: "));
    expect(told).toHaveLength(result.trials.filter(({ valid }) => !valid).length);
  });

  test("every trial has all four probes, the floor and the annex", () => {
    for (const trial of result.trials) {
      const shown = trial.readings.filter(({ role }) => role !== "load").map(({ metric, role }) => `${metric} ${role}`);
      expect(shown.toSorted()).toEqual([
        "connect probe",
        "http annex",
        "http floor",
        "http probe",
        "ping probe",
        "transfer probe",
      ]);
    }
  });

  test("the numbers add up", () => {
    for (const trial of result.trials) {
      const { requests, ok, failed, timeouts, rateHz } = probeOf(trial);
      expect(ok + failed + timeouts).toBe(requests);
      // As planned, unless this machine is too slow for it.
      expect(rateHz).toBe(Number((100 * (result.calibration?.scale ?? 0)).toPrecision(6)));
      // A second of 100 requests a second, or what 50 answers to a flood take; a late generator may begin fewer: that is what validity is about.
      const flooded = readingsOf("flood", [trial]).map(({ target, path }) => `${target}${path}`);
      const pages = result.calibration?.pages.filter(({ target, path }) => flooded.includes(`${target}${path}`)) ?? [];
      const durationMs = Math.max(1000, ...pages.map(({ perSecond }) => Math.ceil(50_000 / perSecond)));
      if (trial.valid && rateHz === 100) expect(requests).toBe(Math.ceil(durationMs / 10));
      for (const flood of readingsOf("flood", [trial]))
        expect(flood.ok + flood.failed + flood.timeouts).toBe(flood.requests);
      for (const connect of readingsOf("connect", [trial]))
        expect(connect.ok + connect.failed + connect.timeouts).toBe(connect.requests);
    }
    for (const { p95WithFailures, ms } of readingsOf("http")) {
      if (ms === null) continue;
      expect(ms.min).toBeLessThanOrEqual(ms.median);
      expect(ms.median).toBeLessThanOrEqual(ms.p95);
      expect(ms.p95).toBeLessThanOrEqual(ms.max);
      expect(p95WithFailures ?? Infinity).toBeGreaterThanOrEqual(ms.p95);
    }
  });

  test("at rest everything is answered, and the large file comes whole", () => {
    for (const platform of ["shared", "container"]) {
      const trial = last("reference", platform);
      const { requests, ok } = probeOf(trial);
      expect({ platform, ok }).toEqual({ platform, ok: requests });
      expect(readingsOf("ping", [trial])[0]).toMatchObject({ lost: 0 });
      expect(readingsOf("connect", [trial])[0]).toMatchObject({ failed: 0, timeouts: 0 });
      expect(readingsOf("transfer", [trial])[0]).toMatchObject({ ok: true, bytes: 64 * 2 ** 20 });
    }
  });

  test("the loads did their work", () => {
    for (const platform of ["shared", "container"]) {
      expect(readingsOf("flood", [last("flood", platform)])).toEqual([
        expect.objectContaining({ target: "apache2", concurrency: 100, ok: POSITIVE }),
      ]);
      expect(readingsOf("stress", [last("cpu", platform)])).toEqual([
        expect.objectContaining({
          stressor: "cpu",
          on: "linux1",
          instances: 2,
          work: POSITIVE,
        }),
      ]);
    }
  });

  test("a flooded neighbour slows what shares its system more than what is in a container", () => {
    const p95 = (platform: string) => probeOf(last("flood", platform)).p95WithFailures ?? Infinity;
    expect(p95("shared")).toBeGreaterThan(p95("container"));
  });

  test("with one block everything is called indicative, and nothing has an interval", () => {
    expect(result.indicative).toBe(true);
    for (const comparison of result.comparisons)
      expect(comparison).toMatchObject({ indicative: true, low: null, high: null });
  });

  describe("report", () => {
    test("makes the same result anew, byte for byte", () => {
      const kept = ["result.json", "report.html", "table.csv"].map((name) => [name, text(name)] as const);
      for (const [name] of kept) rmSync(join(folder, name));
      expect(sandbox.cloison("report", folder).code).toBe(ended.code);
      for (const [name, was] of kept) expect({ name, same: text(name) === was }).toEqual({ name, same: true });
    });

    test("of a run that was cut off at once tells that there is nothing", () => {
      const part = join(sandbox.folder, "part");
      cpSync(folder, part, { recursive: true });
      rmSync(join(part, "trials.jsonl"));
      expect(sandbox.cloison("report", part).code).toBe(1);
      const partial = JSON.parse(readFileSync(join(part, "result.json"), "utf8")) as Result;
      expect(partial).toMatchObject({ complete: false, valid: false, trials: [], comparisons: [] });
    });

    test("of what is no run is a usage error", () => {
      expect(sandbox.cloison("report", sandbox.folder)).toMatchObject({ code: 2, stdout: "" });
      expect(existsSync(join(sandbox.folder, "result.json"))).toBe(false);
    });
  });

  test("a run that is complete is not begun again", () => {
    const resumed = sandbox.cloison("run", "--resume", folder, "--json");
    expect(resumed.code).toBe(ended.code);
    expect(JSON.parse(resumed.stdout)).toEqual(JSON.parse(ended.stdout));
    expect(JSON.parse(text("result.json"))).toEqual(result);
  });

  test("what is there already is not written over", () => {
    const experiment = join(EXAMPLE, "experiment.yaml");
    expect(sandbox.cloison("run", experiment, "--out", folder)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is there already") as unknown,
    });
  });

  test.each([
    ["--seed", "x"],
    ["--seed", "1.5"],
    ["--resume", "somewhere"],
  ])("a command line with %s %s is refused", (...args) => {
    const experiment = join(EXAMPLE, "experiment.yaml");
    expect(sandbox.cloison("run", experiment, ...args)).toMatchObject({ code: 2, stdout: "" });
  });
});

import { describe, expect, test } from "vitest";
import type { PlatformName } from "../model/lab.ts";
import type { Reading, Trial } from "../model/result.ts";
import { runValidity, settledReasons } from "./run-validity.ts";

type SettledTrial = Pick<Trial, "id" | "block" | "platform" | "phase" | "valid" | "reasons" | "readings">;

function http(role: "probe" | "floor", p95: number): Reading {
  return {
    metric: "http",
    role,
    target: role === "floor" ? "outside" : "apache1",
    path: "/index.html",
    engine: "epoll",
    mode: "open",
    run: null,
    rateHz: 100,
    concurrency: null,
    requests: 400,
    ok: 400,
    failed: 0,
    timeouts: 0,
    cutOff: 0,
    ms: null,
    serviceMs: null,
    p95WithFailures: p95,
    outliers: 0,
    sendDelayP95Ms: 0.1,
  };
}

function trial(platform: PlatformName, phase: string, block: number, p95: number, floorMs = 0.5): SettledTrial {
  const id = `${block}-${platform}-${phase}-1`;
  return {
    id,
    block,
    platform,
    phase,
    valid: true,
    reasons: [],
    readings: [http("probe", p95), http("floor", floorMs)],
  };
}

const references = (p95s: number[], platform: PlatformName = "container") =>
  p95s.map((p95, i) => trial(platform, "reference", i + 1, p95));
const settled = (trials: SettledTrial[]) => [...settledReasons(trials, "reference")];
const experiment = {
  platforms: ["shared" as const, "container" as const],
  reference: "reference",
  functional: false,
};

describe("a reference that differs from the others", () => {
  test("is named, with its number, the others' and the limit", () => {
    expect(settled(references([4, 4.2, 16, 3.9, 4.1]))).toEqual([
      [
        "3-container-reference-1",
        [
          "differs from the other references: http p95 of apache1 was 16.0 ms, their median is 4.1 ms; the limit is a factor of 1.5",
        ],
      ],
    ]);
  });

  test("is found beside a second one, and on the fast side", () => {
    expect(settled(references([4, 4.2, 16, 3.9, 40])).map(([id]) => id)).toEqual([
      "3-container-reference-1",
      "5-container-reference-1",
    ]);
    expect(settled(references([40, 42, 4, 39, 41])).map(([id]) => id)).toEqual(["3-container-reference-1"]);
  });

  test("is compared with those of its own platform only", () => {
    expect(settled([...references([4, 4.2, 4, 3.9, 4.1]), ...references([40, 42, 41, 39, 41], "shared")])).toEqual([]);
  });

  test("2 ms, or a factor of 1.5, or the others' own scatter are no difference", () => {
    expect(settled(references([1, 1.01, 1.02, 1, 2.9]))).toEqual([]);
    expect(settled(references([40, 40.1, 40.2, 40, 55]))).toEqual([]);
    expect(settled(references([4, 8, 16, 32, 64]))).toEqual([]);
  });

  test("can't be told among fewer than five", () => {
    expect(settled(references([4, 4, 4, 400]))).toEqual([]);
  });

  test("false alarms are rare: under 1 % of runs at 10 % of scatter, under 10 % at 40 %; one four times as slow is found", () => {
    let state = 1;
    const uniform = () => (state = (state * 48271) % 2147483647) / 2147483647;
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const runs = 1000;
    const alarms = (deviation: number, last: number) => {
      let found = 0;
      for (let run = 0; run < runs; run++) {
        const p95s = Array.from({ length: 5 }, (_, i) => (i === 4 ? last : 1) * 4 * Math.exp(deviation * normal()));
        if (settled(references(p95s)).some(([id]) => last === 1 || id.startsWith("5-"))) found++;
      }
      return found / runs;
    };
    expect(alarms(0.1, 1)).toBeLessThan(0.01);
    expect(alarms(0.4, 1)).toBeLessThan(0.1);
    expect(alarms(0.1, 4)).toBeGreaterThan(0.95);
  });
});

describe("a floor that moved", () => {
  test("is judged by the level of all references, once they are known", () => {
    const calm = references([4, 4, 4, 4, 4]);
    expect(settled([trial("shared", "flood", 1, 900, 2.6), ...calm])).toEqual([
      ["1-shared-flood-1", ["the floor moved: its p95 was 2.6 ms, in the references 0.5 ms; the limit is 2 ms apart"]],
    ]);
    expect(settled([trial("shared", "flood", 1, 900, 2.4), ...calm])).toEqual([]);
  });

  test("of a reference tells against that one, not against later ones", () => {
    const floors = [3.7, 0.9, 1.3].map((floorMs, i) => trial("shared", "reference", i + 1, 4, floorMs));
    expect(settled(floors)).toEqual([
      [
        "1-shared-reference-1",
        ["the floor moved: its p95 was 3.7 ms, in the references 1.3 ms; the limit is 2 ms apart"],
      ],
    ]);
  });

  test("invalid trials are judged already", () => {
    const flood = { ...trial("shared", "flood", 1, 900, 30), valid: false };
    expect(settled([flood, ...references([4, 4, 4, 4, 4])])).toEqual([]);
  });
});

describe("a run", () => {
  const cells = [1, 2, 3, 4, 5].flatMap((block) =>
    experiment.platforms.flatMap((platform) => ["reference", "flood"].map((phase) => ({ block, platform, phase }))),
  );
  const all = cells.map(({ block, platform, phase }) => trial(platform, phase, block, phase === "flood" ? 900 : 4));

  test("is valid when every trial has been run validly at last", () => {
    const failed = { ...trial("shared", "flood", 2, 900), id: "2-shared-flood-0", valid: false, reasons: ["steal"] };
    expect(runValidity([failed, ...all], cells, experiment)).toEqual({ valid: true, reasons: [] });
  });

  test("is not when one was not run, or never validly", () => {
    const trials = all
      .filter(({ id }) => id !== "4-container-flood-1")
      .map((t) =>
        t.id === "2-shared-flood-1" ? { ...t, valid: false, reasons: ["steal was 2 %", "the floor moved"] } : t,
      );
    const { valid, reasons } = runValidity(trials, cells, experiment);
    expect(valid).toBe(false);
    expect(reasons).toEqual([
      "block 2, shared, flood: 1 run, none valid; the last: steal was 2 %; the floor moved",
      "block 4, container, flood: was not run",
    ]);
  });

  test("of a run that was ended early does not name every trial that is missing", () => {
    const { valid, reasons } = runValidity(all.slice(0, 2), cells, experiment);
    expect({ valid, reasons }).toEqual({
      valid: false,
      reasons: [`${cells.length - 2} of ${cells.length} trials were not run`],
    });
  });

  test("is not when a trial that counts as valid has a reason against it", () => {
    const trials = all.map((t) => (t.id === "3-shared-flood-1" ? trial("shared", "flood", 3, 900, 9) : t));
    expect(runValidity(trials, cells, experiment)).toMatchObject({
      valid: false,
      reasons: [expect.stringContaining("trial 3-shared-flood-1: the floor moved")],
    });
  });

  test("fails the A/A comparison when its references scatter", () => {
    const scattered = [4, 6, 9, 14, 7];
    const trials = all.map((t) =>
      t.platform === "shared" && t.phase === "reference"
        ? trial("shared", "reference", t.block, scattered[t.block - 1] ?? NaN)
        : t,
    );
    expect(runValidity(trials, cells, experiment).reasons).toEqual([
      "the A/A comparison fails: references on shared differ among themselves by a factor of 3.5 (http p95 of apache1, 4.0 to 14.0 ms); the limit is 2",
    ]);
  });

  test("passes it with a large ratio of small numbers", () => {
    const trials = all.map((t) =>
      t.phase === "reference" ? trial(t.platform, "reference", t.block, 0.5 * t.block) : t,
    );
    expect(runValidity(trials, cells, experiment).valid).toBe(true);
  });
});

import { expect, test } from "vitest";
import type { PlatformName } from "../model/lab.ts";
import { comparisonSchema, type Reading } from "../model/result.ts";
import { compare, type ComparedExperiment } from "./compare.ts";
import type { ComparableTrial } from "./probe-series.ts";

type HttpReading = Extract<Reading, { metric: "http" }>;

const load = { floods: [], stressors: [] };
const experiment: ComparedExperiment = {
  platforms: ["shared", "container"],
  phases: { flood: load, reference: load },
  reference: "reference",
  thresholds: { abnormal: 100, unacceptable: 1000 },
};

/** The probe's reading; an infinite p95 is one whose requests all time out. */
function http(p95: number, more: Partial<HttpReading> = {}): HttpReading {
  const timeouts = Number.isFinite(p95) ? 0 : 400;
  return {
    metric: "http",
    role: "probe",
    target: "apache1",
    path: "/index.html",
    engine: "epoll",
    mode: "open",
    run: null,
    rateHz: 100,
    concurrency: null,
    requests: 400,
    ok: 400 - timeouts,
    failed: 0,
    timeouts,
    cutOff: 0,
    ms: null,
    serviceMs: null,
    p95WithFailures: Number.isFinite(p95) ? p95 : null,
    outliers: 0,
    sendDelayP95Ms: 0.1,
    ...more,
  };
}

const trial = (
  platform: PlatformName,
  phase: string,
  block: number,
  readings: Reading[],
  valid = true,
): ComparableTrial => ({
  platform,
  phase,
  block,
  readings,
  valid,
});

/** One trial a block, with the given p95s. */
const trials = (platform: PlatformName, phase: string, p95s: number[]) =>
  p95s.map((p95, i) => trial(platform, phase, i + 1, [http(p95)]));

const calm = [4, 4.1, 3.9, 4.2, 4];

function rows(all: ComparableTrial[], over: Partial<ComparedExperiment> = {}) {
  const { comparisons, omitted } = compare(all, { ...experiment, ...over });
  for (const row of comparisons) expect(comparisonSchema.parse(row)).toEqual(row);
  const find = (kind: string, platform: string, phase: string) =>
    comparisons.find((row) => row.kind === kind && row.platform === platform && row.phase === phase);
  return { comparisons, omitted, find };
}

test("the study's outcome: a flood that the shared system feels and the container does not", () => {
  const { comparisons, omitted, find } = rows([
    ...trials("shared", "reference", calm),
    ...trials("shared", "flood", [1200, 1100, 1300, 1050, 1400]),
    ...trials("container", "reference", [4.1, 4, 4, 4.2, 3.9]),
    ...trials("container", "flood", [4.2, 4.1, 3.8, 4.3, 4.4]),
  ]);
  expect(omitted).toEqual([]);
  expect(comparisons.map((row) => [row.kind, row.platform, row.against, row.phase, row.verdict])).toEqual([
    ["phase", "shared", "reference", "reference", "reference"],
    ["phase", "shared", "reference", "flood", "unacceptable"],
    ["phase", "container", "reference", "reference", "reference"],
    ["phase", "container", "reference", "flood", "unaffected"],
    ["platform", "shared", "container", "reference", "unaffected"],
    ["platform", "shared", "container", "flood", "degraded"],
  ]);
  expect(find("phase", "shared", "flood")).toMatchObject({
    metric: "http p95",
    target: "apache1",
    unit: "ms",
    n: 5,
    reference: 4,
    estimate: 1200,
    low: 1050,
    high: 1400,
    confidence: 0.9375,
    unanswered: 0,
    indicative: false,
  });
  // Ratios: 300, 268.3, 333.3, 250, 350.
  const ratio = find("phase", "shared", "flood")?.ratio;
  expect(ratio?.estimate).toBeCloseTo(300, 9);
  expect(ratio?.low).toBeCloseTo(250, 9);
  expect(ratio?.high).toBeCloseTo(350, 9);
});

test("the reference's row shows the spread that unaffected is measured by", () => {
  const { find } = rows([...trials("shared", "reference", [4, 8, 5, 6, 7])]);
  expect(find("phase", "shared", "reference")).toMatchObject({
    estimate: 6,
    low: 4,
    high: 8,
    ratio: { estimate: 1, low: 0.5, high: 2 },
  });
});

test("ratios are paired by block: what slows a whole block hurts no comparison", () => {
  const blocks = [2, 4, 8, 16, 32];
  const { find } = rows([
    ...trials("shared", "reference", blocks),
    ...trials("shared", "flood", blocks.map((ms) => 1.1 * ms).toReversed()).map((t) => ({ ...t, block: 6 - t.block })),
  ]);
  expect(find("phase", "shared", "flood")?.ratio.low).toBeCloseTo(1.1, 9);
  expect(find("phase", "shared", "flood")?.ratio.high).toBeCloseTo(1.1, 9);
});

test("invalid trials enter nothing, and a repeated one stands for its block", () => {
  const { find } = rows([
    ...trials("shared", "reference", calm),
    trial("shared", "flood", 3, [http(9999)], false),
    ...trials("shared", "flood", calm),
    trial("shared", "reference", 2, [http(777)], false),
  ]);
  expect(find("phase", "shared", "flood")).toMatchObject({ n: 5, high: 4.2, verdict: "unaffected" });
});

test("under 5 blocks there is no interval, and a verdict is indicative", () => {
  const { find } = rows([...trials("shared", "reference", [4]), ...trials("shared", "flood", [1200])]);
  expect(find("phase", "shared", "flood")).toMatchObject({
    n: 1,
    estimate: 1200,
    low: null,
    high: null,
    confidence: null,
    indicative: true,
    ratio: { estimate: 300, low: null, high: null },
    verdict: "unacceptable",
  });
  expect(find("phase", "shared", "reference")).toMatchObject({
    indicative: true,
    ratio: { estimate: 1, low: null, high: null },
  });
});

test("a domain that does not return is infinitely slow, in numbers that JSON can hold", () => {
  const never = Array<number>(5).fill(Infinity);
  const { find } = rows([
    ...trials("shared", "reference", calm),
    ...trials("shared", "flood", never),
    ...trials("container", "reference", calm),
    ...trials("container", "flood", calm),
  ]);
  expect(find("phase", "shared", "flood")).toMatchObject({
    estimate: null,
    low: null,
    high: null,
    confidence: 0.9375,
    ratio: { estimate: null, low: null, high: null },
    unanswered: 1,
    verdict: "did-not-return",
  });
  expect(find("platform", "shared", "flood")).toMatchObject({
    against: "container",
    reference: 4,
    verdict: "did-not-return",
  });
});

test("one block of five without answers is a fifth unanswered", () => {
  const { find } = rows([...trials("shared", "reference", calm), ...trials("shared", "flood", [4, 4, 4, 4, Infinity])]);
  expect(find("phase", "shared", "flood")).toMatchObject({
    estimate: 4,
    low: 4,
    high: null,
    unanswered: 0.2,
    verdict: "did-not-return",
  });
});

test("readings of different engines are not compared", () => {
  const node = (platform: PlatformName, phase: string) =>
    calm.map((p95, i) => trial(platform, phase, i + 1, [http(p95, { engine: "node" })]));
  const { comparisons, omitted } = rows([
    ...trials("shared", "reference", calm),
    ...node("shared", "flood"),
    ...node("container", "reference"),
    ...node("container", "flood"),
  ]);
  expect(comparisons.map((row) => [row.kind, row.platform, row.phase])).toEqual([
    ["phase", "shared", "reference"],
    ["phase", "container", "reference"],
    ["phase", "container", "flood"],
  ]);
  expect(omitted).toHaveLength(3);
  expect(omitted[0]).toBe(
    "http p95 of apache1 on shared, flood: readings of different load engines (epoll, node) are not compared; run all of it again with one of them",
  );
});

test("what was not measured is said, not guessed", () => {
  const { comparisons, omitted } = rows([...trials("shared", "flood", calm)]);
  expect(comparisons).toEqual([]);
  expect(omitted).toEqual([
    "http p95 of apache1 on shared: no block has a valid reference",
    "http p95 of apache1 on shared, flood: no block has a valid trial of it and of its reference",
    "http p95 of apache1 on container: no block has a valid reference",
    "http p95 of apache1 on container, flood: no block has a valid trial of it and of its reference",
    "http p95 of apache1, reference, shared against container: no block has a valid trial of both, with references",
    "http p95 of apache1, flood, shared against container: no block has a valid trial of both, with references",
  ]);
  expect(rows([])).toMatchObject({ comparisons: [], omitted: [] });
});

test("every probe has rows; the annex's, the floor's and the loads' readings have none", () => {
  const others = (p95: number): Reading[] => [
    {
      metric: "transfer",
      role: "probe",
      target: "apache1",
      engine: "epoll",
      bytes: 67108864,
      ok: true,
      error: null,
      totalMs: 100 * p95,
      mibPerSecond: 640,
    },
    {
      metric: "ping",
      role: "probe",
      target: "linux1",
      engine: "epoll",
      sent: 40,
      lost: 0,
      ms: null,
      p95WithFailures: p95 / 10,
    },
    {
      metric: "connect",
      role: "probe",
      target: "apache1",
      engine: "epoll",
      requests: 40,
      ok: 40,
      failed: 0,
      timeouts: 0,
      ms: null,
      p95WithFailures: p95 / 8,
    },
    {
      metric: "ping",
      role: "floor",
      target: "outside",
      engine: "epoll",
      sent: 40,
      lost: 0,
      ms: null,
      p95WithFailures: 0.1,
    },
  ];
  const all = calm.flatMap((p95, i) =>
    ["reference", "flood"].map((phase) =>
      trial("container", phase, i + 1, [
        http(0.2, { role: "floor", target: "outside" }),
        http(3, { role: "annex", mode: "closed" }),
        ...others(p95),
        http(p95),
      ]),
    ),
  );
  const { comparisons } = rows(all, { platforms: ["container"] });
  expect(
    comparisons.filter((row) => row.phase === "flood").map((row) => [row.metric, row.target, row.verdict]),
  ).toEqual([
    ["http p95", "apache1", "unaffected"],
    ["connect p95", "apache1", "unaffected"],
    ["ping p95", "linux1", "unaffected"],
    // 400 ms for 64 MiB is no slow response: thresholds are for answers.
    ["transfer total", "apache1", "unaffected"],
  ]);
});

test("two pages of one domain are two targets", () => {
  const all = [1, 2].flatMap((block) =>
    ["reference", "flood"].map((phase) => trial("shared", phase, block, [http(4), http(9, { path: "/compute.php" })])),
  );
  const { comparisons } = rows(all, { platforms: ["shared"] });
  expect(new Set(comparisons.map((row) => row.target))).toEqual(new Set(["apache1/index.html", "apache1/compute.php"]));
});

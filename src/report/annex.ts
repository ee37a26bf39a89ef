import type { PlatformName } from "../model/lab.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import type { Reading, Result, Trial } from "../model/result.ts";
import type { AnnexFigures } from "./data/study-2009.ts";
import { viewRun } from "./run-view.ts";

/** A row of the annex-like table: one run of the study's own probe, or a flood's own figures. */
export interface AnnexRow extends AnnexFigures {
  /** Number of the study's histogram that shows this load; null: the study had no such load. */
  figure: number | null;
  platform: PlatformName;
  load: string;
  target: string;
  requests: number;
  concurrency: number | null;
  role: "annex" | "load";
  /** Requests without an answer; they make `max`, and `p95` where they are many, infinite. */
  unanswered: number;
}

/** Several runs of one load as one row. */
export interface AnnexSummary extends AnnexRow {
  runs: number;
}

interface StudyLoad {
  figure: { isolated: number; shared: number };
  /** The study's name of the load; null: not measured on that kind of platform. */
  load: { isolated: string | null; shared: string | null };
}

/** The study's phases by the names of the built-in experiment. The study had one shared flood and one shared disk load. */
export const STUDY_LOADS: Readonly<Record<string, StudyLoad>> = {
  reference: { figure: { isolated: 19, shared: 19 }, load: { isolated: "none", shared: null } },
  "flood-100": { figure: { isolated: 23, shared: 23 }, load: { isolated: "http-100k-100", shared: null } },
  "flood-500": { figure: { isolated: 22, shared: 22 }, load: { isolated: "http-500k-500", shared: null } },
  "flood-1000": {
    figure: { isolated: 23, shared: 20 },
    load: { isolated: "http-500k-1000", shared: "http-500k-1000" },
  },
  disk: { figure: { isolated: 21, shared: 21 }, load: { isolated: null, shared: "disk-io" } },
  "cpu-1": { figure: { isolated: 24, shared: 24 }, load: { isolated: "cpu-bomb-x1-on-2-domains", shared: null } },
  "cpu-4": { figure: { isolated: 25, shared: 25 }, load: { isolated: "cpu-bomb-x4-on-2-domains", shared: null } },
  "cpu-4-disk": {
    figure: { isolated: 26, shared: 26 },
    load: { isolated: "cpu-bomb-x4-and-io-on-2-domains", shared: null },
  },
};

/** How the study would have called the platform: `native` is one system for all, `xen` stands for isolated domains. */
export function studyKind(platform: PlatformName): "isolated" | "shared" {
  return platform === "shared" ? "shared" : "isolated";
}

/**
 * Every run of the study's own probe and every flood, of the valid trials only, ordered by phase, platform and block.
 * Requests without an answer are no latency: `min` to `median` are of the answered ones, `max` is null when there was
 * any, and `p95` is null when there were so many that the 95th percentile is one of them.
 */
export function annexRows(result: Result): AnnexRow[] {
  const phases = viewRun(result).phases.map((phase) => phase.name);
  const order = (trial: Trial): number[] => [
    phases.indexOf(trial.phase),
    PLATFORM_NAMES.indexOf(trial.platform),
    trial.block,
  ];
  const valid = result.trials.filter((trial) => trial.valid).toSorted((a, b) => compareLists(order(a), order(b)));
  return valid.flatMap((trial) => trial.readings.flatMap((reading) => toRow(trial, reading)));
}

/**
 * One row for all runs of a platform, load and target: the smallest min, the largest max, mean and standard deviation of
 * all answers together, and the median over the runs of median and p95 (quantiles of parts can't be pooled).
 */
export function summariseRuns(rows: readonly AnnexRow[]): AnnexSummary[] {
  const groups = new Map<string, AnnexRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.load, row.platform, row.role, row.target, row.concurrency]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [{ ...first, ...pool(group), runs: group.length }];
  });
}

function toRow(trial: Trial, reading: Reading): AnnexRow[] {
  const isAnnex = reading.metric === "http" && reading.role === "annex";
  if (!isAnnex && reading.metric !== "flood") return [];
  const unanswered = reading.failed + reading.timeouts;
  const none = { min: null, mean: null, sd: null, median: null };
  return [
    {
      figure: STUDY_LOADS[trial.phase]?.figure[studyKind(trial.platform)] ?? null,
      platform: trial.platform,
      load: trial.phase,
      target: reading.target,
      requests: reading.requests,
      concurrency: reading.concurrency,
      role: isAnnex ? "annex" : "load",
      unanswered,
      ...(reading.ms === null
        ? none
        : { min: reading.ms.min, mean: reading.ms.mean, sd: reading.ms.sd, median: reading.ms.median }),
      p95: reading.p95WithFailures,
      max: unanswered > 0 ? null : (reading.ms?.max ?? null),
    },
  ];
}

function pool(rows: readonly AnnexRow[]): AnnexFigures & { requests: number; unanswered: number } {
  const finite = (name: keyof AnnexFigures): number[] => rows.flatMap((row) => row[name] ?? []);
  const answered = rows.filter((row) => row.mean !== null);
  const count = (row: AnnexRow): number => row.requests - row.unanswered;
  const total = answered.reduce((sum, row) => sum + count(row), 0);
  const mean = answered.reduce((sum, row) => sum + count(row) * (row.mean ?? 0), 0) / total;
  // Sum of squares about the common mean: (n - 1) s² within each run, and n (mean - common)² between them.
  const squares = answered.reduce(
    (sum, row) => sum + (count(row) - 1) * (row.sd ?? 0) ** 2 + count(row) * ((row.mean ?? 0) - mean) ** 2,
    0,
  );
  const unanswered = rows.reduce((sum, row) => sum + row.unanswered, 0);
  const anyAnswer = answered.length > 0;
  return {
    requests: rows.reduce((sum, row) => sum + row.requests, 0),
    unanswered,
    min: anyAnswer ? Math.min(...finite("min")) : null,
    mean: anyAnswer ? mean : null,
    sd: total > 1 ? Math.sqrt(squares / (total - 1)) : null,
    median: medianOrInfinite(rows.map((row) => row.median)),
    p95: medianOrInfinite(rows.map((row) => row.p95)),
    max: unanswered > 0 || !anyAnswer ? null : Math.max(...finite("max")),
  };
}

/** null is infinitely slow: it sorts last, and is the answer when the middle falls on it. */
function medianOrInfinite(values: readonly (number | null)[]): number | null {
  const sorted = values.map((value) => value ?? Infinity).toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Infinity;
  const high = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
  return Number.isFinite(low + high) ? (low + high) / 2 : null;
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const differing = a.findIndex((value, index) => value !== b[index]);
  return differing === -1 ? 0 : (a[differing] ?? 0) - (b[differing] ?? 0);
}

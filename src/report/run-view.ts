import type { PlatformName } from "../model/lab.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import type { Comparison, Reading, Result, Trial } from "../model/result.ts";
import { formatCount, listOf } from "./format.ts";

export type ProbeReading = Extract<Reading, { metric: "http" }>;
export type FloodReading = Extract<Reading, { metric: "flood" }>;
export type StressReading = Extract<Reading, { metric: "stress" }>;

export interface PhaseView {
  name: string;
  /** What ran beside the probe, from the readings: `no load`, `apache2 flooded with 1,000 connections`. */
  load: string;
  isReference: boolean;
}

/** One platform in one phase, probed at one target: what the charts and the matrix show. */
export interface CellView {
  platform: PlatformName;
  phase: string;
  comparison: Comparison | null;
  /** One per valid block, ms; infinite where the figure is a request without an answer. */
  blocks: { min: number; mean: number; median: number; p95: number; max: number }[];
  requests: number;
  failed: number;
  timeouts: number;
  /** Trials run, and those of them that count. */
  trials: number;
  validTrials: number;
}

/** A result, put into the order in which a reader meets it. */
export interface RunView {
  /** Whether anything of it may be relied on. */
  valid: boolean;
  platforms: PlatformName[];
  /** As a reader is told it, with what runs it: `qemu (TCG)`. */
  nameOf(platform: PlatformName): string;
  /** Emulate the processor. */
  emulated: PlatformName[];
  /** Reference first. */
  phases: PhaseView[];
  /** What the verdicts rest on. */
  target: string;
  metric: string;
  cell(platform: PlatformName, phase: string): CellView;
}

/** Order of the study's own phases; an experiment's other phases follow in the order of its comparisons. */
const STUDY_ORDER = ["reference", "flood-100", "flood-500", "flood-1000", "disk", "cpu-1", "cpu-4", "cpu-4-disk"];

export function viewRun(result: Result): RunView {
  const [main] = [...result.comparisons]
    .filter((row) => row.kind === "phase")
    .toSorted((a, b) => metricRank(a) - metricRank(b));
  const target = main?.target ?? probesOf(result.trials)[0]?.target ?? "";
  const metric = main?.metric ?? "http p95";
  const cells = new Map<string, CellView>();
  const { variants } = result.environment;
  const platforms = PLATFORM_NAMES.filter((name) => result.trials.some((trial) => trial.platform === name));
  return {
    valid: result.valid,
    platforms,
    nameOf: (platform) =>
      [platform, ...(variants[platform] === undefined ? [] : [`(${variants[platform].toUpperCase()})`])].join(" "),
    emulated: platforms.filter((platform) => variants[platform] === "tcg"),
    phases: phasesOf(result),
    target,
    metric,
    cell(platform, phase) {
      const key = `${platform} ${phase}`;
      const cell = cells.get(key) ?? viewCell(result, { platform, phase, target, metric });
      cells.set(key, cell);
      return cell;
    },
  };
}

/** Verdicts rest on the HTTP probe when there is one. */
function metricRank(row: Comparison): number {
  return row.metric.startsWith("http") ? 0 : 1;
}

function probesOf(trials: readonly Trial[]): ProbeReading[] {
  return trials.flatMap((trial) => trial.readings.filter((reading) => isProbe(reading)));
}

function isProbe(reading: Reading): reading is ProbeReading {
  return reading.metric === "http" && reading.role === "probe";
}

function phasesOf(result: Result): PhaseView[] {
  const references = new Set(
    result.comparisons.flatMap((row) => {
      if (row.kind !== "phase") return [];
      return row.verdict === "reference" ? [row.phase] : [row.against];
    }),
  );
  const names = [
    ...STUDY_ORDER,
    ...result.comparisons.map((row) => row.phase),
    ...result.trials.map((trial) => trial.phase),
  ].filter((name) => result.trials.some((trial) => trial.phase === name));
  return [...new Set(names)]
    .map((name) => ({ name, load: describeLoad(result, name), isReference: references.has(name) }))
    .toSorted((a, b) => Number(b.isReference) - Number(a.isReference));
}

function viewCell(
  result: Result,
  at: { platform: PlatformName; phase: string; target: string; metric: string },
): CellView {
  const trials = result.trials.filter((trial) => trial.platform === at.platform && trial.phase === at.phase);
  const valid = trials.filter((trial) => trial.valid);
  const probes = probesOf(valid).filter((probe) => probe.target === at.target);
  const sum = (of: (probe: ProbeReading) => number): number => probes.reduce((total, probe) => total + of(probe), 0);
  return {
    platform: at.platform,
    phase: at.phase,
    comparison:
      result.comparisons.find(
        (row) =>
          row.kind === "phase" &&
          row.platform === at.platform &&
          row.phase === at.phase &&
          row.target === at.target &&
          row.metric === at.metric,
      ) ?? null,
    blocks: probes.map(blockFigures),
    requests: sum((probe) => probe.ok + probe.failed + probe.timeouts),
    failed: sum((probe) => probe.failed),
    timeouts: sum((probe) => probe.timeouts),
    trials: trials.length,
    validTrials: valid.length,
  };
}

function blockFigures(probe: ProbeReading): CellView["blocks"][number] {
  const ms = probe.ms;
  return {
    min: ms?.min ?? Infinity,
    mean: ms?.mean ?? Infinity,
    median: ms?.median ?? Infinity,
    p95: probe.p95WithFailures ?? Infinity,
    max: ms?.max ?? Infinity,
  };
}

/** Median of what was measured in each block; null when nothing was. An even number gives the mean of the middle two. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)];
  const high = sorted[Math.floor(sorted.length / 2)];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

/** From an isolated platform where there is one: `shared` merges its domains, and would not say where a stressor belongs. */
function describeLoad(result: Result, phase: string): string {
  const trials = result.trials
    .filter((trial) => trial.phase === phase && trial.readings.some((reading) => reading.role === "load"))
    .toSorted((a, b) => Number(a.platform === "shared") - Number(b.platform === "shared"));
  const readings = trials[0]?.readings ?? [];
  const floods = readings.filter((reading) => reading.metric === "flood").map(describeFlood);
  const parts = [...floods, ...describeStress(readings.filter((reading) => reading.metric === "stress"))];
  return parts.length === 0 ? "no load" : listOf(parts);
}

function describeFlood(flood: FloodReading): string {
  const connections = flood.concurrency === null ? "" : ` with ${formatCount(flood.concurrency)} connections`;
  return `${flood.target} flooded${connections}`;
}

/** `4 cpu and 1 disk stressors each in linux1 and linux2`: kinds that run in the same domains are told together. */
function describeStress(readings: readonly StressReading[]): string[] {
  const byKind = new Map<string, { instances: number; on: Set<string> }>();
  for (const { stressor, instances, on } of readings) {
    byKind.set(stressor, { instances, on: (byKind.get(stressor)?.on ?? new Set<string>()).add(on) });
  }
  const byDomains = new Map<string, { domains: number; stressors: number; kinds: string[] }>();
  for (const [kind, { instances, on }] of byKind) {
    const names = listOf([...on].toSorted());
    const known = byDomains.get(names) ?? { domains: on.size, stressors: 0, kinds: [] };
    known.kinds.push(`${instances} ${kind}`);
    byDomains.set(names, { ...known, stressors: known.stressors + instances });
  }
  return [...byDomains].map(([names, { domains, stressors, kinds }]) => {
    return `${listOf(kinds)} stressor${stressors === 1 ? "" : "s"}${domains > 1 ? " each" : ""} in ${names}`;
  });
}

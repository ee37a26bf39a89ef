import type { Experiment } from "../model/experiment.ts";
import type { PlatformName } from "../model/lab.ts";
import type { Comparison } from "../model/result.ts";
import { INTERVAL_BLOCKS, type MedianInterval, medianInterval, ratioInterval, ratioOf } from "./median-interval.ts";
import { type ComparableTrial, pairByBlock, type ProbeIdentity, ProbeSeries, type Series } from "./probe-series.ts";
import type { ProbeValue } from "./probe-value.ts";
import { type ReferenceSpread, referenceSpread, relevantChangeMs } from "./reference-spread.ts";
import { type Thresholds, verdictOf } from "./verdict.ts";

/** What of an experiment a comparison depends on. */
export type ComparedExperiment = Pick<Experiment, "platforms" | "phases" | "reference" | "thresholds">;

export interface Comparisons {
  comparisons: Comparison[];
  /** Rows that there are not, and why; sentences. */
  omitted: string[];
}

const METHOD = "median over blocks; interval between order statistics (sign test, exact); ratios paired by block";
const REFERENCE_METHOD =
  "median over blocks; interval between order statistics (sign test, exact); ratio: spread of reference against reference";

const finiteOrNull = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
const nullable = ({ estimate, low, high }: MedianInterval) => ({
  estimate: finiteOrNull(estimate),
  low: finiteOrNull(low),
  high: finiteOrNull(high),
});

/**
 * All comparisons that the valid trials of an experiment allow. For every probe and platform a row for the reference
 * (verdict `reference`; its ratio's ends are the spread that "unaffected" is measured by) and a row for every phase
 * against the reference of its own block; then, for every phase, each pair of platforms.
 *
 * The block is the unit: an interval is over blocks, and a phase's ratio is that to the reference in the same block. In
 * rows of kind `platform` the slower one (by the estimate) stands as `platform`, so the ratio is 1 or more; their
 * verdict is `did-not-return`, `unaffected` (alike within the wider of the two spreads), `degraded` or `inconclusive`.
 *
 * With a `confidence`, a null among estimate, low and high stands for infinity; without one (under 5 blocks), low and
 * high are not known. Readings of different engines are not compared: such rows are omitted, with the reason.
 */
export function compare(trials: readonly ComparableTrial[], experiment: ComparedExperiment): Comparisons {
  const all = new ProbeSeries(trials);
  const phases = [experiment.reference, ...Object.keys(experiment.phases).filter((p) => p !== experiment.reference)];
  const { abnormal: abnormalMs, unacceptable: unacceptableMs } = experiment.thresholds;
  const comparisons: Comparison[] = [];
  const omitted: string[] = [];
  const add = (row: Comparison | string) => {
    if (typeof row === "string") omitted.push(row);
    else comparisons.push(row);
  };
  for (const probe of all.probes()) {
    const thresholds = probe.metric === "transfer total" ? null : { abnormalMs, unacceptableMs };
    const contexts = experiment.platforms.map((platform) => {
      const references = answered(all.series(platform, experiment.reference, probe));
      const spread = spreadOf(references, relevantChangeMs(abnormalMs));
      return { platform, probe, references, spread, thresholds };
    });
    for (const context of contexts) {
      for (const phase of phases) {
        if (phase === experiment.reference) add(referenceRow(context, phase));
        else add(phaseRow(context, phase, experiment.reference, all.series(context.platform, phase, probe)));
      }
    }
    for (const phase of phases) {
      contexts.forEach((context, i) => {
        for (const other of contexts.slice(i + 1)) {
          add(platformRow(context, other, phase, (platform) => all.series(platform, phase, probe)));
        }
      });
    }
  }
  return { comparisons, omitted };
}

/** One probe on one platform. */
interface Context {
  platform: PlatformName;
  probe: ProbeIdentity;
  references: Series;
  /** null: no valid reference. */
  spread: ReferenceSpread | null;
  thresholds: Thresholds | null;
}

/** A reference that did not answer measures nothing by. */
function answered(series: Series): Series {
  return new Map([...series].filter(([, value]) => Number.isFinite(value.valueMs)));
}

function spreadOf(references: Series, relevantMs: number): ReferenceSpread | null {
  if (references.size === 0) return null;
  return referenceSpread(
    [...references.values()].map((value) => value.valueMs),
    relevantMs,
  );
}

function engineConflict(values: readonly ProbeValue[]): string | null {
  const engines = [...new Set(values.map((value) => value.engine))];
  if (engines.length < 2) return null;
  return `readings of different load engines (${engines.toSorted().join(", ")}) are not compared; run all of it again with one of them`;
}

const unansweredShare = (values: readonly ProbeValue[]) =>
  values.reduce((sum, value) => sum + value.unanswered, 0) / values.reduce((sum, value) => sum + value.requests, 0);

function referenceRow({ platform, probe, references, spread }: Context, phase: string): Comparison | string {
  const values = [...references.values()];
  if (spread === null) return `${probe.metric} of ${probe.target} on ${platform}: no block has a valid reference`;
  const conflict = engineConflict(values);
  if (conflict !== null) return `${probe.metric} of ${probe.target} on ${platform}, ${phase}: ${conflict}`;
  const valueMs = medianInterval(values.map((value) => value.valueMs));
  const known = valueMs.confidence !== null;
  return {
    kind: "phase",
    platform,
    against: phase,
    phase,
    target: probe.target,
    metric: probe.metric,
    unit: "ms",
    n: values.length,
    reference: finiteOrNull(valueMs.estimate),
    ...nullable(valueMs),
    ratio: { estimate: 1, low: known ? 1 / spread.limit : null, high: known ? spread.limit : null },
    unanswered: unansweredShare(values),
    confidence: valueMs.confidence,
    method: REFERENCE_METHOD,
    indicative: values.length < INTERVAL_BLOCKS,
    verdict: "reference",
  };
}

/** `values` against `others` in the same blocks; or why not. */
function pairedRow(
  row: Pick<Comparison, "kind" | "platform" | "against" | "phase">,
  { metric, target }: ProbeIdentity,
  pairs: ReturnType<typeof pairByBlock>,
  spreadLimit: number,
  thresholds: Thresholds | null,
): Comparison {
  const values = pairs.map((pair) => pair.value);
  const valueMs = medianInterval(values.map((value) => value.valueMs));
  const ratio = ratioInterval(pairs.map((pair) => ratioOf(pair.value.valueMs, pair.other.valueMs)));
  const unanswered = unansweredShare(values);
  return {
    ...row,
    target,
    metric,
    unit: "ms",
    n: pairs.length,
    reference: finiteOrNull(medianInterval(pairs.map((pair) => pair.other.valueMs)).estimate),
    ...nullable(valueMs),
    ratio: nullable(ratio),
    unanswered,
    confidence: valueMs.confidence,
    method: METHOD,
    indicative: pairs.length < INTERVAL_BLOCKS,
    verdict: verdictOf({ unanswered, valueMs, ratio, spreadLimit, thresholds }),
  };
}

function phaseRow(context: Context, phase: string, reference: string, series: Series): Comparison | string {
  const { platform, probe, references, spread, thresholds } = context;
  const where = `${probe.metric} of ${probe.target} on ${platform}, ${phase}`;
  const pairs = pairByBlock(series, references);
  if (spread === null || pairs.length === 0) return `${where}: no block has a valid trial of it and of its reference`;
  const conflict = engineConflict([...pairs.map((pair) => pair.value), ...references.values()]);
  if (conflict !== null) return `${where}: ${conflict}`;
  return pairedRow({ kind: "phase", platform, against: reference, phase }, probe, pairs, spread.limit, thresholds);
}

function platformRow(
  first: Context,
  second: Context,
  phase: string,
  seriesOf: (platform: PlatformName) => Series,
): Comparison | string {
  const { probe } = first;
  const where = `${probe.metric} of ${probe.target}, ${phase}, ${first.platform} against ${second.platform}`;
  let pairs = pairByBlock(seriesOf(first.platform), seriesOf(second.platform));
  if (first.spread === null || second.spread === null || pairs.length === 0) {
    return `${where}: no block has a valid trial of both, with references`;
  }
  const conflict = engineConflict([
    ...pairs.flatMap((pair) => [pair.value, pair.other]),
    ...first.references.values(),
    ...second.references.values(),
  ]);
  if (conflict !== null) return `${where}: ${conflict}`;
  const firstIsFaster =
    ratioInterval(pairs.map((pair) => ratioOf(pair.value.valueMs, pair.other.valueMs))).estimate < 1;
  if (firstIsFaster) pairs = pairs.map(({ block, value, other }) => ({ block, value: other, other: value }));
  const [platform, against] = firstIsFaster ? [second.platform, first.platform] : [first.platform, second.platform];
  const limit = Math.max(first.spread.limit, second.spread.limit);
  return pairedRow({ kind: "platform", platform, against, phase }, probe, pairs, limit, null);
}

import type { Experiment } from "../model/experiment.ts";
import type { Trial } from "../model/result.ts";
import { floorLevelMs, floorMovement, floorValueMs } from "./floor.ts";
import { INTERVAL_BLOCKS } from "./median-interval.ts";
import { ProbeSeries } from "./probe-series.ts";
import { probeKey, probeName, probeValues } from "./probe-value.ts";
import { quantile } from "./quantile.ts";
import { referenceSpread } from "./reference-spread.ts";

/**
 * A reference differs from the others when its value is from their median further than each of: 2 ms (as much as the
 * floor may move), a factor of 1.5, and 5 median absolute deviations on logarithms. The median and the deviation stand
 * with two bad references among five. By simulation (run-validity.test.ts) of 5 lognormal references of 4 ms, in fewer
 * than 1 of 100 runs is any flagged when they scatter by 10 %, in fewer than 10 when by 40 %; one that is 4 times as
 * slow is found in over 95.
 */
const DIFFERENCE = { ms: 2, factor: 1.5, deviations: 5 } as const;

/** Makes the median absolute deviation the standard deviation of a normal distribution: 1 / Φ⁻¹(3/4). */
const MAD_SCALE = 1.4826;

/** References that a comparison can rest on lie within this of each other: both may be off by what the floor may move. */
const AA_LIMIT = { ms: 4, factor: 2 } as const;

type SettledTrial = Pick<Trial, "id" | "block" | "platform" | "phase" | "valid" | "reasons" | "readings">;

/**
 * Reasons that only the whole run can give, by trial id; a trial without any is not in it. Looks at valid trials: call
 * it when all blocks have run, mark and repeat what it names, and call it again. Adds to `trialReasons`: floors against
 * the level of all references, and each platform's references against each other (from 5 blocks on; with fewer, nothing
 * tells which one is the odd one).
 */
export function settledReasons(trials: readonly SettledTrial[], referencePhase: string): Map<string, string[]> {
  const reasons = new Map<string, string[]>();
  const add = (id: string, more: readonly string[]) => {
    if (more.length > 0) reasons.set(id, [...(reasons.get(id) ?? []), ...more]);
  };
  const valid = trials.filter((trial) => trial.valid);
  const levelMs = floorLevelMs(valid, referencePhase);
  for (const trial of valid) {
    const floorMs = floorValueMs(trial.readings);
    if (floorMs !== null && levelMs !== null) add(trial.id, floorMovement(floorMs, levelMs));
  }
  const references = valid.filter((trial) => trial.phase === referencePhase);
  for (const platform of new Set(references.map((trial) => trial.platform))) {
    const ofPlatform = references.filter((trial) => trial.platform === platform);
    for (const [id, reason] of oddReferences(ofPlatform)) add(id, [reason]);
  }
  return reasons;
}

/** References of one platform that differ from its others: [trial id, reason]. */
function oddReferences(references: readonly SettledTrial[]): [string, string][] {
  const byProbe = new Map<string, { id: string; name: string; valueMs: number }[]>();
  for (const { id, readings } of references) {
    for (const value of probeValues(readings)) {
      const key = probeKey(value);
      byProbe.set(key, [...(byProbe.get(key) ?? []), { id, name: probeName(value), valueMs: value.valueMs }]);
    }
  }
  return [...byProbe.values()].flatMap((values) => {
    if (values.length < INTERVAL_BLOCKS) return [];
    const medianMs = median(values.map((value) => value.valueMs));
    const deviation = (valueMs: number) => Math.abs(Math.log(valueMs / medianMs));
    const scale = MAD_SCALE * median(values.map((value) => deviation(value.valueMs)));
    const limit = Math.max(Math.log(DIFFERENCE.factor), DIFFERENCE.deviations * scale);
    return values
      .filter(({ valueMs }) => Math.abs(valueMs - medianMs) > DIFFERENCE.ms && deviation(valueMs) > limit)
      .map(({ id, name, valueMs }): [string, string] => [
        id,
        `differs from the other references: ${name} was ${valueMs.toFixed(1)} ms, their median is ${medianMs.toFixed(1)} ms; the limit is a factor of ${Math.exp(limit).toFixed(1)}`,
      ]);
  });
}

const median = (values: readonly number[]) => quantile(Float64Array.from(values).sort(), 0.5);

/**
 * Whether a run's figures may be believed, and why not: every trial that was planned has been run validly at last, none
 * that counts as valid has a reason against it by now (a run that was ended early was never settled), and the A/A
 * comparison passes: on every platform, references against references show no difference that comparisons would
 * drown in. Of a functional run only the first is asked. `scheduled` is what `schedule` gave; attempts beyond the first are in
 * `trials` only.
 */
export function runValidity(
  trials: readonly SettledTrial[],
  scheduled: readonly Pick<Trial, "block" | "platform" | "phase">[],
  experiment: Pick<Experiment, "platforms" | "reference" | "functional">,
): { valid: boolean; reasons: string[] } {
  const missing = cellReasons(trials, scheduled);
  if (experiment.functional) return { valid: missing.length === 0, reasons: missing };
  const unsettled = [...settledReasons(trials, experiment.reference)].map(
    ([id, of]) => `trial ${id}: ${of.join("; ")}`,
  );
  const reasons = [...missing, ...unsettled, ...aaReasons(trials, experiment)];
  return { valid: reasons.length === 0, reasons };
}

/** As many trials that were not run are named; a run that was ended early may have hundreds. */
const NAMED = 3;

function cellReasons(
  trials: readonly SettledTrial[],
  scheduled: readonly Pick<Trial, "block" | "platform" | "phase">[],
): string[] {
  const missing: string[] = [];
  const invalid: string[] = [];
  for (const { block, platform, phase } of scheduled) {
    const attempts = trials.filter((t) => t.block === block && t.platform === platform && t.phase === phase);
    const where = `block ${block}, ${platform}, ${phase}`;
    const last = attempts.at(-1);
    if (last === undefined) missing.push(`${where}: was not run`);
    else if (!attempts.some((trial) => trial.valid)) {
      invalid.push(`${where}: ${attempts.length} run, none valid; the last: ${last.reasons.join("; ")}`);
    }
  }
  const folded = `${missing.length} of ${scheduled.length} trials were not run`;
  return [...invalid, ...(missing.length > NAMED ? [folded] : missing)];
}

function aaReasons(
  trials: readonly SettledTrial[],
  { platforms, reference }: Pick<Experiment, "platforms" | "reference">,
): string[] {
  const all = new ProbeSeries(trials);
  return platforms.flatMap((platform) =>
    all.probes().flatMap((probe) => {
      const values = [...all.series(platform, reference, probe).values()].map((value) => value.valueMs);
      if (values.length === 0) return [];
      const { lowestMs, highestMs, observed } = referenceSpread(values, 0);
      if (observed <= AA_LIMIT.factor || highestMs - lowestMs <= AA_LIMIT.ms) return [];
      return [
        `the A/A comparison fails: references on ${platform} differ among themselves by a factor of ${observed.toFixed(1)} (${probe.metric} of ${probe.target}, ${lowestMs.toFixed(1)} to ${highestMs.toFixed(1)} ms); the limit is ${AA_LIMIT.factor}`,
      ];
    }),
  );
}

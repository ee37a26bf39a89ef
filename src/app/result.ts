import type { Experiment } from "../model/experiment.ts";
import type { Result, Trial } from "../model/result.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { compare } from "../stats/compare.ts";
import { INTERVAL_BLOCKS } from "../stats/median-interval.ts";
import { runValidity } from "../stats/run-validity.ts";

/** What a run found, from its trials; the same trials give the same result. */
export function buildResult(
  experiment: Experiment,
  seed: number,
  { environment, calibration }: Pick<Result, "environment" | "calibration">,
  trials: Trial[],
  scheduled: ScheduledTrial[],
): Result {
  const run = (cell: ScheduledTrial) =>
    trials.some(
      ({ block, platform, phase }) => block === cell.block && platform === cell.platform && phase === cell.phase,
    );
  const { valid, reasons } = runValidity(trials, scheduled, experiment);
  const { functional } = experiment;
  const { comparisons, omitted } = functional ? { comparisons: [], omitted: [] } : compare(trials, experiment);
  return {
    schema: "cloison.result/1",
    name: experiment.name,
    seed,
    complete: scheduled.every(run),
    valid,
    reasons: [...reasons, ...omitted],
    indicative: experiment.blocks < INTERVAL_BLOCKS,
    functional,
    thresholds: { abnormalMs: experiment.thresholds.abnormal, unacceptableMs: experiment.thresholds.unacceptable },
    environment,
    calibration,
    trials,
    comparisons,
  };
}

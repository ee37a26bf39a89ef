import type { Experiment } from "../model/experiment.ts";
import type { Trial } from "../model/result.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { settledReasons } from "../stats/run-validity.ts";

/**
 * A trial that turns out invalid is run again, up to this many times in all within its block, but not before the block's others:
 * what disturbed the machine may be gone by then,
 */
export const ATTEMPTS_IN_BLOCK = 3;
/** and up to this many when all blocks have been run, if anything was measured. */
export const MAX_ATTEMPTS = 5;
/** More of the schedule than this, and more than one trial, is not disturbed by chance: no more is tried. */
const LATE_SHARE = 0.1;

export interface NextTrial {
  scheduled: ScheduledTrial;
  /** Counts from 1. */
  attempt: number;
  /** Trials of the schedule that need no further attempt. */
  done: number;
}

/**
 * Of the first block that has trials with neither a valid attempt nor all of the block's used up, the one with the fewest; then of
 * few that are left; null: there is none. It depends on nothing but what has been run, so that a run that was cut off goes on as it would have.
 */
export function nextTrial(schedule: readonly ScheduledTrial[], trials: readonly Trial[]): NextTrial | null {
  const open = schedule.flatMap((scheduled) => {
    const attempts = attemptsOf(trials, scheduled);
    if (attempts.some(({ valid }) => valid) || attempts.length >= MAX_ATTEMPTS) return [];
    const wasMeasured = (attempts.at(-1)?.readings.length ?? 0) > 0;
    return [{ scheduled, attempt: attempts.length + 1, wasMeasured }];
  });
  const inBlock = open.filter(({ attempt }) => attempt <= ATTEMPTS_IN_BLOCK);
  const early = inBlock.filter(({ scheduled }) => scheduled.block === inBlock[0]?.scheduled.block);
  const isByChance = open.length <= Math.max(1, LATE_SHARE * schedule.length);
  const late = isByChance ? open.filter(({ wasMeasured }) => wasMeasured) : [];
  const next = (early.length > 0 ? early : late).toSorted((a, b) => a.attempt - b.attempt)[0];
  if (next === undefined) return null;
  return { scheduled: next.scheduled, attempt: next.attempt, done: schedule.length - open.length };
}

/**
 * Trials that were found valid one by one, and are not beside all the others: as they are to be recorded now. Ask once
 * `nextTrial` has nothing more; what comes of it may be repeated, and then asked again, until there is nothing left. Of a
 * functional run none are.
 */
export function judgedInvalid(
  trials: readonly Trial[],
  { reference, functional }: Pick<Experiment, "reference" | "functional">,
): Trial[] {
  if (functional) return [];
  const settled = settledReasons(trials, reference);
  return trials.flatMap((trial) => {
    const reasons = settled.get(trial.id);
    return reasons === undefined ? [] : [{ ...trial, valid: false, reasons: [...trial.reasons, ...reasons] }];
  });
}

function attemptsOf(trials: readonly Trial[], { block, platform, phase }: ScheduledTrial): Trial[] {
  return trials.filter((trial) => trial.block === block && trial.platform === platform && trial.phase === phase);
}

/** Whether a run has nothing left to do. */
export function isSettled(
  schedule: readonly ScheduledTrial[],
  trials: readonly Trial[],
  experiment: Pick<Experiment, "reference" | "functional">,
): boolean {
  return nextTrial(schedule, trials) === null && judgedInvalid(trials, experiment).length === 0;
}

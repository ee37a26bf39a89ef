import type { Experiment } from "../model/experiment.ts";
import type { Trial } from "../model/result.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { settledReasons } from "../stats/run-validity.ts";

/** A trial that turns out invalid is run again, this many times in all. */
export const MAX_ATTEMPTS = 3;

export interface NextTrial {
  scheduled: ScheduledTrial;
  /** Counts from 1. */
  attempt: number;
  /** Trials of the schedule that need no further attempt. */
  done: number;
}

/**
 * The first trial of the schedule that has neither a valid attempt nor used up all of them; null: there is none. It
 * depends on nothing but what has been run, so that a run that was cut off goes on as it would have.
 */
export function nextTrial(schedule: readonly ScheduledTrial[], trials: readonly Trial[]): NextTrial | null {
  const open = schedule.flatMap((scheduled) => {
    const attempts = attemptsOf(trials, scheduled);
    if (attempts.some(({ valid }) => valid) || attempts.length >= MAX_ATTEMPTS) return [];
    return [{ scheduled, attempt: attempts.length + 1 }];
  });
  const [first] = open;
  return first === undefined ? null : { ...first, done: schedule.length - open.length };
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

import type { Experiment } from "../model/experiment.ts";
import type { Trial } from "../model/result.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { judgedInvalid, nextTrial, type NextTrial } from "./next-trial.ts";
import type { RunFolder } from "./run-folder.ts";
import type { TrialOutcome } from "./trial.ts";

interface ScheduleRun {
  schedule: readonly ScheduledTrial[];
  experiment: Pick<Experiment, "reference" | "functional">;
  folder: Pick<RunFolder, "trials" | "saveTrial" | "saveJudgement">;
  /** Runs one attempt. What it throws ends the run; a trial that fails is an outcome. */
  attempt(next: NextTrial, earlier: readonly Trial[]): Promise<TrialOutcome>;
  /** Hears of each attempt that is kept, and again of one that the others show to be invalid. */
  onTrial?: ((trial: Trial) => void) | undefined;
  signal?: AbortSignal;
}

/**
 * Runs the trials of a schedule that the folder does not hold yet, each until it is valid or out of attempts; every
 * attempt is kept. When the signal comes it ends early without error: what is done is kept, the trial in progress is not.
 */
export async function runSchedule(run: ScheduleRun): Promise<void> {
  const { schedule, experiment, folder, attempt, onTrial, signal } = run;
  let trials = await folder.trials();
  while (!signal?.aborted) {
    const next = nextTrial(schedule, trials);
    if (next !== null) {
      const outcome = await unlessAborted(() => attempt(next, trials), signal);
      if (outcome === null) return;
      await folder.saveTrial(outcome.trial, outcome.samples);
      onTrial?.(outcome.trial);
      trials = [...trials, outcome.trial];
      continue;
    }
    const judged = judgedInvalid(trials, experiment);
    if (judged.length === 0) return;
    for (const trial of judged) {
      await folder.saveJudgement(trial);
      onTrial?.(trial);
    }
    const later = new Map(judged.map((trial) => [trial.id, trial]));
    trials = trials.map((trial) => later.get(trial.id) ?? trial);
  }
}

/** null: it was aborted; then whatever it failed with comes of that. */
async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted) return null;
    throw error;
  }
}

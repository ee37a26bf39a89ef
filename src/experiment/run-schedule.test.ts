import { expect, test } from "vitest";
import { LabError } from "../model/error.ts";
import type { Trial } from "../model/result.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { measuredTrial, trialOf } from "./fixture.ts";
import { runSchedule } from "./run-schedule.ts";

const cell = (phase: string): ScheduledTrial => ({ block: 1, platform: "shared", phase, annex: false });
const SCHEDULE = ["reference", "cpu", "disk"].map(cell);

/** A folder in memory; `lines` are what it was given, in order. */
function memoryFolder(trials: Trial[] = []) {
  const lines: string[] = [];
  const kept = new Map(trials.map((trial) => [trial.id, trial]));
  const save = (word: string) => async (trial: Trial) => {
    kept.set(trial.id, trial);
    lines.push(`${word} ${trial.id}${trial.valid ? "" : " invalid"}`);
  };
  return { lines, trials: async () => [...kept.values()], saveTrial: save("trial"), saveJudgement: save("judgement") };
}

const outcome = (trial: Trial) => ({ trial, samples: [], broken: false });

test("runs all, repeats what is invalid, and keeps every attempt", async () => {
  const folder = memoryFolder();
  await runSchedule({
    schedule: SCHEDULE,
    experiment: { reference: "reference", functional: false },
    folder,
    attempt: async ({ scheduled, attempt }) =>
      outcome(
        trialOf(
          scheduled,
          attempt,
          scheduled.phase === "cpu" || (scheduled.phase === "disk" && attempt === 1) ? ["no"] : [],
        ),
      ),
  });
  expect(folder.lines).toEqual([
    "trial 1-shared-reference-1",
    "trial 1-shared-cpu-1 invalid",
    "trial 1-shared-disk-1 invalid",
    "trial 1-shared-cpu-2 invalid",
    "trial 1-shared-disk-2",
    "trial 1-shared-cpu-3 invalid",
  ]);
});

test("an attempt sees the trials before it, those of an earlier start included", async () => {
  const seen: string[][] = [];
  await runSchedule({
    schedule: SCHEDULE,
    experiment: { reference: "reference", functional: false },
    folder: memoryFolder([trialOf(cell("reference"), 1)]),
    async attempt({ scheduled, attempt }, earlier) {
      seen.push(earlier.map(({ id }) => id));
      return outcome(trialOf(scheduled, attempt));
    },
  });
  expect(seen).toEqual([["1-shared-reference-1"], ["1-shared-reference-1", "1-shared-cpu-1"]]);
});

test("what only the whole run shows to be invalid is recorded, told and repeated, to the last attempt", async () => {
  const folder = memoryFolder();
  const heard: string[] = [];
  await runSchedule({
    schedule: SCHEDULE,
    experiment: { reference: "reference", functional: false },
    folder,
    onTrial: ({ id, valid }) => heard.push(`${id} ${valid}`),
    attempt: async ({ scheduled, attempt }) =>
      outcome(measuredTrial(scheduled, attempt, scheduled.phase === "disk" ? 30 : 1)),
  });
  expect(folder.lines.slice(2)).toEqual([
    "trial 1-shared-disk-1",
    "judgement 1-shared-disk-1 invalid",
    "trial 1-shared-disk-2",
    "judgement 1-shared-disk-2 invalid",
    "trial 1-shared-disk-3",
    "judgement 1-shared-disk-3 invalid",
    "trial 1-shared-disk-4",
    "judgement 1-shared-disk-4 invalid",
    "trial 1-shared-disk-5",
    "judgement 1-shared-disk-5 invalid",
  ]);
  expect(heard).toEqual([
    "1-shared-reference-1 true",
    "1-shared-cpu-1 true",
    ...[1, 2, 3, 4, 5].flatMap((attempt) => [`1-shared-disk-${attempt} true`, `1-shared-disk-${attempt} false`]),
  ]);
});

test("an interruption keeps what is done, drops the trial in progress, and is no error", async () => {
  const folder = memoryFolder();
  const stop = new AbortController();
  await runSchedule({
    schedule: SCHEDULE,
    experiment: { reference: "reference", functional: false },
    folder,
    signal: stop.signal,
    async attempt({ scheduled, attempt }) {
      if (scheduled.phase === "cpu") {
        stop.abort(new LabError("interrupted"));
        stop.signal.throwIfAborted();
      }
      return outcome(trialOf(scheduled, attempt));
    },
  });
  expect(folder.lines).toEqual(["trial 1-shared-reference-1"]);
});

test("what an attempt throws ends the run, and what is done is kept", async () => {
  const folder = memoryFolder();
  const run = runSchedule({
    schedule: SCHEDULE,
    experiment: { reference: "reference", functional: false },
    folder,
    async attempt({ scheduled, attempt }) {
      if (scheduled.phase === "cpu") throw new LabError("no lab can be made");
      return outcome(trialOf(scheduled, attempt));
    },
  });
  await expect(run).rejects.toThrow("no lab can be made");
  expect(folder.lines).toEqual(["trial 1-shared-reference-1"]);
});

test("a trial that can't be saved ends the run, also when it is being interrupted", async () => {
  const stop = new AbortController();
  const run = runSchedule({
    schedule: SCHEDULE,
    experiment: { reference: "reference", functional: false },
    folder: { ...memoryFolder(), saveTrial: () => Promise.reject(new LabError("the disk is full")) },
    signal: stop.signal,
    async attempt({ scheduled, attempt }) {
      stop.abort();
      return outcome(trialOf(scheduled, attempt));
    },
  });
  await expect(run).rejects.toThrow("the disk is full");
});

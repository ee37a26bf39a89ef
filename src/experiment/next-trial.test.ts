import { expect, test } from "vitest";
import type { Trial } from "../model/result.ts";
import { schedule, type ScheduledTrial } from "../schedule/schedule.ts";
import { measuredTrial, trialOf } from "./fixture.ts";
import { ATTEMPTS_IN_BLOCK, isSettled, judgedInvalid, MAX_ATTEMPTS, nextTrial } from "./next-trial.ts";

const SCHEDULE: ScheduledTrial[] = schedule(
  {
    blocks: 3,
    platforms: ["shared", "container"],
    phases: { reference: { floods: [], stressors: [] }, cpu: { floods: [], stressors: [] } },
    annex: { blocks: 1, requests: 1, concurrency: 1, runs: 1 },
  },
  7,
);
const [first, second] = SCHEDULE as [ScheduledTrial, ScheduledTrial];

test("trials come in the order of the schedule", () => {
  expect(nextTrial(SCHEDULE, [])).toEqual({ scheduled: first, attempt: 1, done: 0 });
  expect(nextTrial(SCHEDULE, [trialOf(first, 1)])).toEqual({ scheduled: second, attempt: 1, done: 1 });
});

test("invalid trials are repeated when the block's others have been run, in turn, until they are valid", () => {
  const block = SCHEDULE.filter((scheduled) => scheduled.block === first.block);
  const trials = block.map((scheduled, i) => trialOf(scheduled, 1, i < 2 ? ["steal"] : []));
  expect(nextTrial(SCHEDULE, trials.slice(0, 1))?.scheduled).toBe(second);
  const done = block.length - 2;
  expect(nextTrial(SCHEDULE, trials)).toEqual({ scheduled: first, attempt: 2, done });
  trials.push(trialOf(first, 2, ["steal"]));
  expect(nextTrial(SCHEDULE, trials)).toEqual({ scheduled: second, attempt: 2, done });
  trials.push(trialOf(second, 2));
  expect(nextTrial(SCHEDULE, trials)).toEqual({ scheduled: first, attempt: 3, done: done + 1 });
  trials.push(trialOf(first, 3));
  expect(nextTrial(SCHEDULE, trials)?.scheduled.block).not.toBe(first.block);
});

const attempts = (scheduled: ScheduledTrial, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...measuredTrial(scheduled, i + 1, 1),
    valid: false,
    reasons: ["steal"],
  }));

test("a trial that stays invalid waits until the others have been run, and is given up in the end", () => {
  const trials = attempts(first, ATTEMPTS_IN_BLOCK);
  expect(nextTrial(SCHEDULE, trials)).toEqual({ scheduled: second, attempt: 1, done: 0 });
  const others = SCHEDULE.slice(1).map((scheduled) => trialOf(scheduled, 1));
  const late = { scheduled: first, attempt: ATTEMPTS_IN_BLOCK + 1, done: SCHEDULE.length - 1 };
  expect(nextTrial(SCHEDULE, [...trials, ...others])).toEqual(late);
  expect(nextTrial(SCHEDULE, [...attempts(first, MAX_ATTEMPTS), ...others])).toBeNull();
  const brokeOff = Array.from({ length: ATTEMPTS_IN_BLOCK }, (_, i) => trialOf(first, i + 1, ["it broke off"]));
  expect(nextTrial(SCHEDULE, [...brokeOff, ...others])).toBeNull();
});

test("of a run that is disturbed throughout no trial is tried again at its end", () => {
  const trials = SCHEDULE.flatMap((scheduled) => attempts(scheduled, ATTEMPTS_IN_BLOCK));
  expect(nextTrial(SCHEDULE, trials)).toBeNull();
});

const MEASURED = { reference: "reference", functional: false };

test("there is nothing next when all are valid or given up", () => {
  const trials = SCHEDULE.flatMap((scheduled, i) =>
    i === 0 ? attempts(scheduled, MAX_ATTEMPTS) : [trialOf(scheduled, 1)],
  );
  expect(nextTrial(SCHEDULE, trials)).toBeNull();
  expect(isSettled(SCHEDULE, trials, MEASURED)).toBe(true);
});

/** Trials whose validity depends on what they are only, as a machine's would in the best case. */
function conduct(trials: Trial[], limit: number): string[] {
  const order: string[] = [];
  for (
    let next = nextTrial(SCHEDULE, trials);
    next !== null && order.length < limit;
    next = nextTrial(SCHEDULE, trials)
  ) {
    const { scheduled, attempt } = next;
    const fails = (scheduled.block + scheduled.phase.length + attempt) % 3 === 0;
    const trial = trialOf(scheduled, attempt, fails ? ["steal"] : []);
    trials.push(trial);
    order.push(trial.id);
  }
  return order;
}

test("wherever a run is cut off, it goes on as it would have", () => {
  const whole = conduct([], Infinity);
  expect(whole.length).toBeGreaterThan(SCHEDULE.length);
  for (let cut = 0; cut <= whole.length; cut++) {
    const kept: Trial[] = [];
    expect([...conduct(kept, cut), ...conduct(kept, Infinity)]).toEqual(whole);
  }
});

test("a trial that only the others show to be invalid is judged so, repeated, and not judged again", () => {
  const floors = (scheduled: ScheduledTrial, i: number) => measuredTrial(scheduled, 1, i === 4 ? 30 : 1);
  const trials = SCHEDULE.map(floors);
  const odd = SCHEDULE[4] as ScheduledTrial;
  expect(nextTrial(SCHEDULE, trials)).toBeNull();
  expect(isSettled(SCHEDULE, trials, MEASURED)).toBe(false);
  expect(isSettled(SCHEDULE, trials, { ...MEASURED, functional: true })).toBe(true);
  const judged = judgedInvalid(trials, MEASURED);
  expect(judged).toEqual([{ ...trials[4], valid: false, reasons: [expect.stringContaining("the floor moved")] }]);

  const after = trials.map((trial) => (trial.id === judged[0]?.id ? judged[0] : trial));
  expect(nextTrial(SCHEDULE, after)).toEqual({ scheduled: odd, attempt: 2, done: SCHEDULE.length - 1 });
  expect(isSettled(SCHEDULE, [...after, measuredTrial(odd, 2, 1)], MEASURED)).toBe(true);
});

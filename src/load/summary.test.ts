import fc from "fast-check";
import { expect, test } from "vitest";
import { ErrorCode } from "./recorder.ts";
import { bucketEndMs, bucketOf, LIVE_BYTES, LiveCounts, progressBetween, Stop } from "./summary.ts";

test("a bucket's end is at most a sixteenth above what lies in it", () => {
  fc.assert(
    fc.property(fc.double({ min: 16e3, max: 4e12, noNaN: true }), (ns) => {
      const end = bucketEndMs(bucketOf(ns));
      expect(end).toBeGreaterThan(ns / 1e6);
      // A sixteenth, and the microsecond that fractions fall into.
      expect(end).toBeLessThanOrEqual((ns / 1e6) * (1 + 1 / 16) + 0.001);
    }),
  );
  expect(bucketOf(0)).toBe(0);
  expect(bucketOf(1e15)).toBe(bucketOf(4.2e12));
});

test("progress counts, and takes its percentile from answers since the snapshot", () => {
  const live = new LiveCounts(new SharedArrayBuffer(LIVE_BYTES));
  const answer = (ms: number): void => {
    live.begin();
    live.end(ErrorCode.none, ms * 1e6);
  };
  for (let i = 0; i < 100; i++) answer(500);
  const before = live.snapshot();
  expect(progressBetween(before, live.snapshot())).toEqual({ begun: 100, finished: 100, failed: 0, recentP95Ms: null });
  for (let i = 0; i < 95; i++) answer(2);
  for (let i = 0; i < 5; i++) answer(100);
  live.begin();
  live.end(ErrorCode.timeout, 0);
  live.begin();
  const progress = progressBetween(before, live.snapshot());
  expect(progress).toMatchObject({ begun: 202, finished: 201, failed: 1 });
  expect(progress.recentP95Ms).toBeGreaterThan(2);
  expect(progress.recentP95Ms).toBeLessThan(2.2);
});

test("a stop is seen by whoever shares the memory", () => {
  const memory = new SharedArrayBuffer(LIVE_BYTES);
  const loop = new LiveCounts(memory);
  expect(loop.stop()).toBe(Stop.no);
  new LiveCounts(memory).requestStop(Stop.cut);
  expect(loop.stop()).toBe(Stop.cut);
});

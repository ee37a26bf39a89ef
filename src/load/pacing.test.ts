import fc from "fast-check";
import { expect, test } from "vitest";
import { Pacing } from "./pacing.ts";

test("requests are due one interval apart, from the start on", () => {
  const pacing = new Pacing(100, 50);
  expect(pacing.count).toBe(5);
  expect([0, 1, 2, 3, 4].map((index) => pacing.dueNs(index))).toEqual([0, 10e6, 20e6, 30e6, 40e6]);
});

test.each([
  [10, 300, 3],
  [10, 301, 4],
  [3, 1000, 3],
  [0.5, 1000, 1],
  [100, 0, 0],
  [7, 1000, 7],
])("%d a second for %d ms are %d requests", (rateHz, durationMs, count) => {
  expect(new Pacing(rateHz, durationMs).count).toBe(count);
});

test("every request is due before the end, and one more would not be", () => {
  const rate = fc.double({ min: 0.1, max: 100_000, noNaN: true });
  fc.assert(
    fc.property(rate, fc.integer({ min: 1, max: 100_000 }), (rateHz, durationMs) => {
      const pacing = new Pacing(rateHz, durationMs);
      expect(pacing.count).toBeGreaterThan(0);
      // dueNs is rounded to whole ns.
      expect(pacing.dueNs(pacing.count - 1)).toBeLessThanOrEqual(durationMs * 1e6);
      expect(pacing.dueNs(pacing.count)).toBeGreaterThanOrEqual(durationMs * 1e6 - 2);
    }),
  );
});

test("no error adds up over an hour", () => {
  const pacing = new Pacing(3, 3_600_000);
  expect(pacing.count).toBe(10_800);
  expect(pacing.dueNs(10_797)).toBe(3_599e9);
});

import { expect, test } from "vitest";
import { RestartDelay } from "./restart-delay.ts";

test("each death in a row waits twice as long, up to a minute", () => {
  const delay = new RestartDelay();
  const waits = Array.from({ length: 8 }, (_, i) => {
    const waitMs = delay.died(i * 1000);
    delay.started(i * 1000);
    return waitMs / 1000;
  });
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test("one that has lived for a minute is as good as new; one that was not started is not", () => {
  const delay = new RestartDelay();
  delay.died(0);
  expect(delay.died(500_000)).toBe(2000);
  delay.started(501_000);
  expect(delay.died(561_000)).toBe(1000);
});

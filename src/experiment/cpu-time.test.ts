import { expect, test } from "vitest";
import { parseCpuTime, stealShare } from "./cpu-time.ts";

const STAT = `cpu  100 0 50 1000 5 0 5 40 0 0
cpu0 10 1 20 500 5 1 3 10 7 0
cpu1 90 0 30 500 0 0 2 30 0 0
cpu10 1 1 1 1 1 1 1 1 1 1
intr 12345
`;

test("only the CPUs asked for are summed, and guest time is not counted twice", () => {
  expect(parseCpuTime(STAT, [0])).toEqual({ total: 550, steal: 10 });
  expect(parseCpuTime(STAT, [0, 1])).toEqual({ total: 1202, steal: 40 });
});

test("the share is of the time that passed", () => {
  expect(stealShare({ total: 1000, steal: 10 }, { total: 1200, steal: 14 })).toBeCloseTo(0.02);
  expect(stealShare({ total: 1000, steal: 10 }, { total: 1000, steal: 10 })).toBeNull();
});

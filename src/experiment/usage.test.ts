import { expect, test } from "vitest";
import type { DomainUsage } from "../platforms/platform.ts";
import { usageBetween } from "./usage.ts";

const usage = (values: Partial<DomainUsage>): DomainUsage => ({
  cpuNs: null,
  memoryPeakBytes: null,
  oomKills: null,
  pidsPeak: null,
  nrPeriods: null,
  nrThrottled: null,
  throttledNs: null,
  ...values,
});

test("counters are differences, peaks are peaks, and what a machine does not count stays null", () => {
  const before = new Map([["apache1", usage({ cpuNs: 100, pidsPeak: 5, nrThrottled: 3 })]]);
  const after = new Map([["apache1", usage({ cpuNs: 250, pidsPeak: 9, nrThrottled: 3 })]]);
  expect(usageBetween(before, after)["apache1"]).toEqual(usage({ cpuNs: 150, pidsPeak: 9, nrThrottled: 0 }));
});

test("a domain that was made anew counts from 0", () => {
  expect(
    usageBetween(new Map([["a", usage({ oomKills: 7 })]]), new Map([["a", usage({ oomKills: 2 })]]))["a"]?.oomKills,
  ).toBe(2);
});

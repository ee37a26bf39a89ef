import { describe, expect, it } from "vitest";
import { formatConfidence, formatMs, formatMsCell, formatRatio, formatShare, formatSize, listOf } from "./format.ts";

describe("figures as readers meet them", () => {
  it("carries three digits and the unit that fits", () => {
    expect([0.842, 4.1, 24.34, 239.6, 999.4, 999.6, 12_400].map(formatMs)).toEqual([
      "0.84 ms",
      "4.10 ms",
      "24.3 ms",
      "240 ms",
      "999 ms",
      "1.00 s",
      "12.4 s",
    ]);
    expect([4.1, 9.996, 12_400.4].map(formatMsCell)).toEqual(["4.10", "10.0", "12,400"]);
  });

  it("says that there was no answer, never a number, for what is infinite", () => {
    expect([null, Infinity].map(formatMs)).toEqual(["no answer", "no answer"]);
    expect([null, Infinity].map(formatMsCell)).toEqual(["∞", "∞"]);
    expect([null, Infinity].map(formatRatio)).toEqual(["∞", "∞"]);
  });

  it("never rounds a few lost requests to none, nor a confidence up", () => {
    expect([0, 0.0001, 0.004, 0.083, 0.5].map(formatShare)).toEqual(["0 %", "< 0.1 %", "0.4 %", "8.3 %", "50 %"]);
    expect([0.9375, 0.95].map(formatConfidence)).toEqual(["93.75 %", "95 %"]);
  });

  it("writes ratios, sizes and lists", () => {
    expect([1, 12.34, 567].map(formatRatio)).toEqual(["1.00×", "12.3×", "567×"]);
    expect([12, 268_435_456].map(formatSize)).toEqual(["12 bytes", "256 MiB"]);
    expect([[], ["a"], ["a", "b"], ["a", "b", "c"]].map(listOf)).toEqual(["", "a", "a and b", "a, b and c"]);
  });
});

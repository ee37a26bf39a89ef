import fc from "fast-check";
import { expect, test } from "vitest";
import { summarize as summarizeSorted } from "./summarize.ts";

const summarize = (values: Float64Array) => summarizeSorted(values.toSorted());

test("equals NumPy", () => {
  // python3 -c "import numpy as np; y=[4.2,3.9,4.05,4.6,12.7,4.11,3.88,4.4]; print(np.mean(y), np.std(y,ddof=1), np.median(y), np.quantile(y,.95))"
  const values = Float64Array.of(4.2, 3.9, 4.05, 4.6, 12.7, 4.11, 3.88, 4.4);
  const summary = summarize(values);
  expect(summary).toMatchObject({ min: 3.88, max: 12.7, p99: null });
  expect(summary?.mean).toBeCloseTo(5.23, 12);
  expect(summary?.sd).toBeCloseTo(3.028101715596753, 12);
  expect(summary?.median).toBeCloseTo(4.155, 12);
  expect(summary?.p95).toBeCloseTo(9.864999999999995, 12);
});

test("gives the 99th percentile from 300 values on", () => {
  const sevenths = (count: number) => summarize(Float64Array.from({ length: count }, (_, i) => (i + 1) / 7));
  expect(sevenths(299)?.p99).toBeNull();
  expect(sevenths(300)?.p99).not.toBeNull();
  // python3 -c "import numpy as np; x=np.arange(1,401)/7; print(np.mean(x), np.std(x,ddof=1), np.quantile(x,.95), np.quantile(x,.99))"
  const summary = sevenths(400);
  expect(summary?.mean).toBeCloseTo(28.642857142857146, 10);
  expect(summary?.sd).toBeCloseTo(16.51632875811869, 10);
  expect(summary?.p95).toBeCloseTo(54.29285714285714, 10);
  expect(summary?.p99).toBeCloseTo(56.57285714285714, 10);
});

test("one value has no deviation, none has no figures", () => {
  expect(summarize(Float64Array.of(7))).toEqual({ min: 7, mean: 7, sd: null, median: 7, p95: 7, p99: null, max: 7 });
  expect(summarize(new Float64Array())).toBeNull();
});

test("the deviation doesn't cancel far from zero, and scales", () => {
  const near = summarize(Float64Array.of(1, 2, 3, 4));
  const far = summarize(Float64Array.of(1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4));
  expect(far?.sd).toBeCloseTo(near?.sd ?? NaN, 9);
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: 0.001, max: 1e5 }), { minLength: 2 }), (list) => {
      const one = summarize(Float64Array.from(list));
      const doubled = summarize(Float64Array.from(list, (value) => 2 * value));
      expect(doubled?.sd).toBe(2 * (one?.sd ?? NaN));
      expect(doubled?.p95).toBe(2 * (one?.p95 ?? NaN));
    }),
  );
});

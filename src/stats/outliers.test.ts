import { expect, test } from "vitest";
import { countOutliers } from "./outliers.ts";

test("counts what lies beyond Q3 (Q3/Q1)^3", () => {
  // python3 -c "import numpy as np; z=[3,3.1,3.15,3.2,3.25,3.3,3.35,3.4,3.6,9.9,40]; a,b=np.quantile(z,[.25,.75]); print(b*(b/a)**3)" → 4.6886
  expect(countOutliers(Float64Array.of(3, 3.1, 3.15, 3.2, 3.25, 3.3, 3.35, 3.4, 3.6, 9.9, 40))).toBe(2);
  expect(countOutliers(Float64Array.of(3, 3.1, 3.15, 3.2, 3.25, 3.3, 3.35, 3.4, 3.6, 4.68, 40))).toBe(1);
});

test("flags no tail of a lognormal reading, but its values near 3 s", () => {
  // Normal quantiles in even steps, as a reading of 5 ms with a coefficient of variation of 50 %.
  const steps = Array.from({ length: 400 }, (_, i) => (i + 0.5) / 400);
  const logit = (p: number) => Math.log(p / (1 - p)) / 1.702;
  const reading = steps.map((p) => 5 * Math.exp(0.5 * logit(p)));
  expect(countOutliers(Float64Array.from(reading))).toBe(0);
  expect(countOutliers(Float64Array.from([...reading, 3030, 3031, 6450]))).toBe(3);
});

test("is 0 for nothing and for equal values", () => {
  expect(countOutliers(new Float64Array())).toBe(0);
  expect(countOutliers(new Float64Array(50).fill(2))).toBe(0);
});

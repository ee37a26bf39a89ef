import { quantile } from "./quantile.ts";

/** Tukey's factor for "far out" (Exploratory Data Analysis, 1977). */
const FAR_OUT = 3;

/**
 * How many of the ascending positive values are outliers: slower than Q3 · (Q3/Q1)^3, which is Tukey's far-out fence on
 * logarithms. Logarithms, because latencies are skewed to the right: the plain fence would flag the ordinary tail of
 * every reading. They are counted and shown, never dropped.
 */
export function countOutliers(sorted: Float64Array): number {
  if (sorted.length === 0) return 0;
  const q1 = quantile(sorted, 0.25);
  const q3 = quantile(sorted, 0.75);
  const fence = q3 * (q3 / q1) ** FAR_OUT;
  const firstBeyond = sorted.findIndex((value) => value > fence);
  return firstBeyond === -1 ? 0 : sorted.length - firstBeyond;
}

import type { Summary } from "../model/samples.ts";
import { quantile } from "./quantile.ts";

/** Below this many values, fewer than three lie above the 99th percentile: it would be hardly more than the maximum. */
const P99_SAMPLES = 300;

/**
 * Figures of ascending finite values, ms; null for no values. Quantiles as in quantile.ts; the standard deviation is the
 * sample's (n - 1), in two passes, so that it doesn't cancel.
 */
export function summarize(sorted: Float64Array): Summary | null {
  const count = sorted.length;
  if (count === 0) return null;
  let sum = 0;
  for (const value of sorted) sum += value;
  const mean = sum / count;
  let squares = 0;
  for (const value of sorted) squares += (value - mean) ** 2;
  return {
    min: quantile(sorted, 0),
    mean,
    sd: count > 1 ? Math.sqrt(squares / (count - 1)) : null,
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: count >= P99_SAMPLES ? quantile(sorted, 0.99) : null,
    max: quantile(sorted, 1),
  };
}

import { quantile } from "./quantile.ts";

/** How far references differ among themselves. */
export interface ReferenceSpread {
  lowestMs: number;
  highestMs: number;
  /** The largest ratio of one block's reference to another's: over all ordered pairs, highest over lowest. */
  observed: number;
  /** The ratio up to which a phase is within the spread: `observed`, and not less than what matters. */
  limit: number;
}

/**
 * The least change that matters, as a share of the threshold for "abnormally slow": 1 ms of 100 ms. It is the resolution
 * of the 2009 study's figures, and half of what the floor may move in a valid trial. Without it, five references that
 * happen to agree within 2 % would make a change of 3 % "degraded".
 */
const RELEVANT_SHARE = 0.01;

/** The least change of a latency that matters, ms. */
export function relevantChangeMs(abnormalMs: number): number {
  return RELEVANT_SHARE * abnormalMs;
}

/**
 * The spread of reference against reference: what a comparison finds where there is nothing to find (A/A). Every ordered
 * pair of blocks gives a ratio, as if one were a phase and the other its reference; the largest is the limit. It is
 * symmetric: the smallest is one over it. `relevantMs` more than the references' median is always within it.
 * Takes finite values; throws RangeError for none.
 */
export function referenceSpread(referencesMs: readonly number[], relevantMs: number): ReferenceSpread {
  const sorted = Float64Array.from(referencesMs).sort();
  const lowestMs = quantile(sorted, 0);
  const highestMs = quantile(sorted, 1);
  const observed = highestMs === lowestMs ? 1 : highestMs / lowestMs;
  const relevant = 1 + relevantMs / quantile(sorted, 0.5);
  return { lowestMs, highestMs, observed, limit: Math.max(observed, relevant) };
}

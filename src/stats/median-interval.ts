import { quantile } from "./quantile.ts";

/** Below this no interval is printed: even from the smallest to the largest of 4 values the confidence is only 87.5 %. */
export const INTERVAL_BLOCKS = 5;

/** The confidence that is aimed at; order statistics offer steps only, and the nearest step is taken. */
const WANTED_CONFIDENCE = 0.95;

export interface MedianInterval {
  estimate: number;
  /** null under 5 values. */
  low: number | null;
  high: number | null;
  /** What the interval really has, not what was wanted; null under 5 values. */
  confidence: number | null;
}

/**
 * Confidence of the interval from the k-th smallest to the k-th largest of n values for the median, whatever their
 * distribution: 1 - 2 P(Bin(n, 1/2) < k). Exact for continuous distributions, not less for others
 * (David, Nagaraja: Order Statistics, 2003, 7.1).
 */
function confidenceOf(rank: number, n: number): number {
  let term = 0.5 ** n;
  let tail = 0;
  for (let i = 0; i < rank; i++) {
    tail += term;
    term *= (n - i) / (i + 1);
  }
  return 1 - 2 * tail;
}

/**
 * The median, and an interval for the median of the distribution behind it, between two order statistics (the inverted
 * sign test). Chosen by simulation (coverage.test.ts) for the few units that blocks are: with 5 to 10 of them the
 * percentile bootstrap and Student's t on logarithms cover less than they say when values are skewed; this covers what
 * `confidence` says for any distribution, takes +Infinity as it comes, and can be said in words: with 5 blocks it runs
 * from the smallest to the largest, at 93.75 %. Of the confidences on offer the one nearest to 95 % is taken.
 *
 * Values may be ±Infinity, not NaN. Up to 1074 of them: 0.5^n must not be 0. Throws RangeError for no values.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const estimate = quantile(sorted, 0.5);
  if (n < INTERVAL_BLOCKS) return { estimate, low: null, high: null, confidence: null };
  // The confidence falls from rank to rank, from over 0.93 at rank 1 to near 0 at n / 2.
  let rank = 1;
  while (2 * rank < n && confidenceOf(rank, n) > WANTED_CONFIDENCE) rank++;
  const excess = confidenceOf(rank - 1, n) - WANTED_CONFIDENCE;
  if (rank > 1 && excess < WANTED_CONFIDENCE - confidenceOf(rank, n)) rank--;
  // rank is from 1 to n / 2, so both indices exist.
  return {
    estimate,
    low: sorted[rank - 1] as number,
    high: sorted[n - rank] as number,
    confidence: confidenceOf(rank, n),
  };
}

/**
 * The same for ratios from 0 to +Infinity. Of an even number the estimate is the geometric mean of the middle two, so the
 * one for a over b is one divided by the one for b over a.
 */
export function ratioInterval(ratios: readonly number[]): MedianInterval {
  const sorted = Float64Array.from(ratios).sort();
  const middle = sorted.subarray((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  const [below, above] = [quantile(middle, 0), quantile(middle, 1)];
  const isPlain = below === above || above === Infinity;
  return { ...medianInterval(ratios), estimate: isPlain ? above : Math.sqrt(below * above) };
}

/** a over b for values from 0 to +Infinity; 1 where both are 0 or both infinite: neither is the slower. */
export function ratioOf(a: number, b: number): number {
  return a === b ? 1 : a / b;
}

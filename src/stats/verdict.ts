import type { VERDICTS } from "../model/result.ts";
import type { MedianInterval } from "./median-interval.ts";

export type Verdict = (typeof VERDICTS)[number];

/** Share of requests that may go unanswered; beyond it the 95th percentile is infinite, and the domain did not return. */
export const UNANSWERED_LIMIT = 0.05;

export interface Thresholds {
  abnormalMs: number;
  unacceptableMs: number;
}

/** What a verdict rests on. */
export interface Evidence {
  /** Share of all requests of all blocks. */
  unanswered: number;
  /** Over blocks, of the block's value in ms; failures and timeouts in it as infinitely slow. */
  valueMs: MedianInterval;
  /** Over blocks, of the block's value to that of its own reference. */
  ratio: MedianInterval;
  /** Ratio up to which a phase is within the spread of reference against reference (reference-spread.ts). */
  spreadLimit: number;
  /** null: the metric has no threshold (the transfer of a large file is not a response). */
  thresholds: Thresholds | null;
}

/**
 * The first that matches:
 *
 * - `did-not-return`: over 5 % of the requests went unanswered.
 * - `unacceptable`, `abnormal`: the interval's lower end is over the threshold, so all that it holds is.
 * - `unaffected`: the ratio is within the spread of reference against reference: the upper end of its interval is not
 *   above it, and the estimate is not below it. On the fast side the estimate decides, because a faster answer hurts
 *   nobody; yet what is faster than references explain puts the reference in doubt, and is not called unaffected.
 * - `degraded`: the lower end of the ratio's interval is above the spread.
 * - else `inconclusive`.
 *
 * Where references scatter, a load that does nothing is `unaffected` in about 3 runs of 4, else `inconclusive`, and
 * `degraded` in fewer than 1 of 100 (coverage.test.ts).
 *
 * Without an interval (under 5 blocks) the estimates stand for its ends, and the verdict is indicative.
 */
export function verdictOf({ unanswered, valueMs, ratio, spreadLimit, thresholds }: Evidence): Verdict {
  if (unanswered > UNANSWERED_LIMIT) return "did-not-return";
  const lowestMs = valueMs.low ?? valueMs.estimate;
  if (thresholds !== null && lowestMs > thresholds.unacceptableMs) return "unacceptable";
  if (thresholds !== null && lowestMs > thresholds.abnormalMs) return "abnormal";
  if ((ratio.high ?? ratio.estimate) <= spreadLimit && ratio.estimate >= 1 / spreadLimit) return "unaffected";
  if ((ratio.low ?? ratio.estimate) > spreadLimit) return "degraded";
  return "inconclusive";
}

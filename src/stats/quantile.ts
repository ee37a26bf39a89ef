/** Weights below this are rounding of `(n - 1) · p`, not an interpolation that was asked for. */
const WEIGHT_ROUNDING = 1e-9;

/**
 * The p-quantile of ascending values: definition 7 of Hyndman and Fan (1996), as in R and NumPy by default: at
 * h = (n - 1)p, between the two values around h, in proportion.
 *
 * `infinite` more values of +Infinity are taken to follow the given ones: requests that failed or timed out, which count
 * as infinitely slow. A quantile between a finite and an infinite value is infinite, unless its weight there is 0.
 * Never NaN for values without NaN. Throws RangeError when there is no value at all.
 */
export function quantile(sorted: ArrayLike<number>, p: number, infinite = 0): number {
  const count = sorted.length + infinite;
  if (count === 0) throw new RangeError("no values, so no quantile");
  const at = (index: number) => sorted[index] ?? Infinity;
  const h = (count - 1) * p;
  const below = Math.floor(h + WEIGHT_ROUNDING);
  const weight = h - below;
  const low = at(below);
  if (weight <= WEIGHT_ROUNDING) return low;
  const high = at(below + 1);
  // The difference with an infinity is none to interpolate by.
  if (high === Infinity) return high;
  if (low === -Infinity) return low;
  return low + weight * (high - low);
}

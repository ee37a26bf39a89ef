import fc from "fast-check";
import { expect, test } from "vitest";
import { quantile } from "./quantile.ts";

const values = fc
  .array(fc.double({ noNaN: true, min: 0, max: 1e9 }), { minLength: 1 })
  .map((list) => list.toSorted((a, b) => a - b));
const share = fc.double({ noNaN: true, min: 0, max: 1 });

test("equals NumPy's and R's default definition", () => {
  const primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29];
  // python3 -c "import numpy as np; print([np.quantile([2,3,5,7,11,13,17,19,23,29], p) for p in (0,.05,.25,.5,.75,.95,.99,1)])"
  const wanted = [2, 2.45, 5.5, 12, 18.5, 26.299999999999994, 28.46, 29];
  [0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1].forEach((p, i) =>
    expect(quantile(primes, p)).toBeCloseTo(wanted[i] ?? NaN, 12),
  );
});

test("infinite values come last", () => {
  expect(quantile([1, 2, 3], 0.5, 2)).toBe(3);
  expect(quantile([1, 2, 3], 0.5, 3)).toBe(Infinity);
  expect(quantile([1, 2, 3], 1, 1)).toBe(Infinity);
  expect(quantile([], 0, 1)).toBe(Infinity);
  expect(quantile([1, Infinity, Infinity], 0.9)).toBe(Infinity);
  expect(quantile([-Infinity, 1], 0.5)).toBe(-Infinity);
});

test("is finite where its weight towards infinity is 0, whatever the rounding of (n - 1)p", () => {
  // (n - 1) · 0.95 is whole for n = 20k + 1; with k infinite values the 95th percentile is the last finite one.
  for (let k = 1; k <= 500; k++) {
    expect(quantile(new Float64Array(19 * k + 1).fill(4), 0.95, k)).toBe(4);
    expect(quantile(new Float64Array(19 * k).fill(4), 0.95, k + 1)).toBe(Infinity);
  }
});

test("there is none of nothing", () => {
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});

test("lies between its neighbours, grows with p, and counted infinities are as written ones", () => {
  fc.assert(
    fc.property(values, share, share, fc.nat(20), (sorted, p, q, infinite) => {
      const [low, high] = [quantile(sorted, Math.min(p, q), infinite), quantile(sorted, Math.max(p, q), infinite)];
      expect(low).not.toBeNaN();
      expect(low).toBeGreaterThanOrEqual(sorted[0] ?? NaN);
      // Interpolation rounds: neighbouring p may be off by one unit in the last place.
      expect(high * (1 + 1e-12)).toBeGreaterThanOrEqual(low);
      expect(quantile([...sorted, ...Array<number>(infinite).fill(Infinity)], p)).toBe(quantile(sorted, p, infinite));
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { medianInterval, ratioInterval, ratioOf } from "./median-interval.ts";

const firstBlocks = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test("ranks and confidences are the binomial's", () => {
  // python3 -c "from scipy.stats import binom
  // for n in (5,…): print(n, *min((abs(1-2*binom.cdf(k-1,n,.5)-.95), k, 1-2*binom.cdf(k-1,n,.5)) for k in range(1,n//2+1))[1:])"
  const wanted: [number, number, number][] = [
    [5, 1, 0.9375],
    [6, 1, 0.96875],
    [7, 1, 0.984375],
    [8, 2, 0.9296875],
    [9, 2, 0.9609375],
    [10, 2, 0.978515625],
    [11, 3, 0.9345703125],
    [16, 5, 0.923187255859375],
    [25, 8, 0.9567147493362427],
    [100, 41, 0.9431120663590191],
    [1000, 470, 0.9463221503549899],
  ];
  for (const [n, rank, confidence] of wanted) {
    const interval = medianInterval(firstBlocks(n).toReversed());
    expect([n, interval.low, interval.high]).toEqual([n, rank, n + 1 - rank]);
    expect(interval.confidence).toBeCloseTo(confidence, 12);
  }
});

test("equals scipy.stats.quantile_test", () => {
  // python3 -c "from scipy.stats import quantile_test as q; print(q([4.2,3.9,4.05,4.6,12.7,4.11,3.88], q=0, p=.5).confidence_interval(.95))"
  expect(medianInterval([4.2, 3.9, 4.05, 4.6, 12.7, 4.11, 3.88])).toEqual({
    estimate: 4.11,
    low: 3.88,
    high: 12.7,
    confidence: 0.984375,
  });
});

test("under 5 values there is an estimate, and no interval", () => {
  expect(medianInterval([4, 1, 2, 3])).toEqual({ estimate: 2.5, low: null, high: null, confidence: null });
  expect(medianInterval([3])).toEqual({ estimate: 3, low: null, high: null, confidence: null });
  expect(() => medianInterval([])).toThrow(RangeError);
});

test("infinite values stand at the end", () => {
  expect(medianInterval([1, 2, 3, 4, Infinity])).toMatchObject({ estimate: 3, low: 1, high: Infinity });
  expect(medianInterval([1, 2, Infinity, Infinity, Infinity])).toMatchObject({
    estimate: Infinity,
    low: 1,
    high: Infinity,
  });
  expect(ratioInterval([0, 0.5, 1, 2, Infinity])).toMatchObject({ estimate: 1, low: 0, high: Infinity });
});

test("a ratio turned round is one divided by it", () => {
  const interval = ratioInterval([1, 2, 4, 8, 16, 64]);
  const turned = ratioInterval([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 64]);
  expect(interval.estimate).toBeCloseTo(Math.sqrt(4 * 8), 12);
  expect(turned.estimate).toBeCloseTo(1 / interval.estimate, 12);
  expect(turned.low).toBeCloseTo(1 / (interval.high ?? NaN), 12);
});

test("two that don't return are alike", () => {
  expect(ratioOf(Infinity, Infinity)).toBe(1);
  expect(ratioOf(0, 0)).toBe(1);
  expect(ratioOf(Infinity, 4)).toBe(Infinity);
  expect(ratioOf(4, Infinity)).toBe(0);
});

test("is never NaN, holds its estimate, and ignores the order", () => {
  const value = fc.oneof(fc.double({ noNaN: true, min: 0, max: 1e6 }), fc.constant(Infinity));
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 5, maxLength: 30 }), (pairs) => {
      for (const interval of [
        medianInterval(pairs.map(([a]) => a)),
        ratioInterval(pairs.map(([a, b]) => ratioOf(a, b))),
      ]) {
        expect(interval.low).toBeLessThanOrEqual(interval.estimate);
        expect(interval.high).toBeGreaterThanOrEqual(interval.estimate);
        expect(interval.confidence).toBeGreaterThan(0.92);
      }
      expect(medianInterval(pairs.map(([a]) => a).toReversed())).toEqual(medianInterval(pairs.map(([a]) => a)));
    }),
  );
});

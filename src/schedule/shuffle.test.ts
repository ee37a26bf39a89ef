import fc from "fast-check";
import { expect, test } from "vitest";
import { shuffle } from "./shuffle.ts";
import { xoshiro128, xoshiro128State } from "./xoshiro128.ts";

test("keeps every item and leaves its argument alone", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.nat(), (items, seed) => {
      const before = [...items];
      const shuffled = shuffle(items, xoshiro128(xoshiro128State(seed)));
      expect(items).toEqual(before);
      expect(shuffled.toSorted((a, b) => a - b)).toEqual(before.toSorted((a, b) => a - b));
    }),
  );
});

test("makes each order equally often", () => {
  const draw = xoshiro128(xoshiro128State(7));
  const counts = new Map<string, number>();
  const draws = 24_000;
  for (let i = 0; i < draws; i++) {
    const order = shuffle(["a", "b", "c", "d"], draw).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  const expected = draws / 24;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.size).toBe(24);
  // python3 -c "from scipy.stats import chi2; print(chi2.ppf(0.999, 23))"
  expect(chiSquare).toBeLessThan(49.728);
});

test("draws again instead of favouring the first items", () => {
  // 2^32 - 1 lies beyond the largest multiple of 3, so it is refused; the next draw decides.
  const draws = [0xffffffff, 1, 0, 0];
  expect(shuffle(["a", "b", "c"], () => draws.shift() ?? 0)).toEqual(["b", "a", "c"]);
});

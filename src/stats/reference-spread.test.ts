import fc from "fast-check";
import { expect, test } from "vitest";
import { referenceSpread, relevantChangeMs } from "./reference-spread.ts";

test("is the largest ratio of all ordered pairs of references", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: 0.1, max: 1e4 }), { minLength: 1, maxLength: 10 }),
      (references) => {
        const ratios = references.flatMap((a) => references.map((b) => a / b));
        expect(referenceSpread(references, 0)).toMatchObject({
          observed: Math.max(...ratios),
          limit: Math.max(...ratios),
        });
      },
    ),
  );
});

test("what doesn't matter is within it", () => {
  expect(relevantChangeMs(100)).toBe(1);
  expect(referenceSpread([4, 4.02, 3.98, 4.01, 3.99], 1)).toMatchObject({
    lowestMs: 3.98,
    highestMs: 4.02,
    limit: 1.25,
  });
  expect(referenceSpread([4, 8], 1).limit).toBe(2);
  expect(referenceSpread([5], 1)).toEqual({ lowestMs: 5, highestMs: 5, observed: 1, limit: 1.2 });
});

test("there is none without references", () => {
  expect(() => referenceSpread([], 1)).toThrow(RangeError);
});

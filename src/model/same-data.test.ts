import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sameData } from "./same-data.ts";

test("what is undefined is not there", () => {
  expect(sameData({ a: 1, b: undefined }, { a: 1 })).toBe(true);
  expect(sameData({ a: 1 }, { a: 1, b: undefined })).toBe(true);
  expect(sameData({ a: 1, b: null }, { a: 1 })).toBe(false);
  expect(sameData({ a: 1 }, { a: 1, b: 2 })).toBe(false);
});

test("lists are no records, and have an order", () => {
  expect(sameData([], {})).toBe(false);
  expect(sameData({}, [])).toBe(false);
  expect(sameData([1, 2], [2, 1])).toBe(false);
  expect(sameData([1], [1, 2])).toBe(false);
  expect(sameData(null, {})).toBe(false);
});

test("of JSON it says what isDeepStrictEqual says", () => {
  const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  fc.assert(
    fc.property(json, json, (a, b) => {
      expect(sameData(a, b)).toBe(isDeepStrictEqual(a, b));
      expect(sameData(a, structuredClone(a))).toBe(true);
    }),
  );
});

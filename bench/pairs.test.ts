import { describe, expect, test } from "vitest";
import { interleave, limitRow, pairRow } from "./pairs.ts";

const text = { name: "n", against: "a", unit: "ms" };
/** Ratios theirs/ours: 8, 8.1, … 8.9. */
const pairs = Array.from({ length: 10 }, (_, index) => ({ ours: 10, theirs: 80 + index }));

describe("interleave", () => {
  test("takes both sides in turn, reverses the order, and drops the warm-up", async () => {
    const order: string[] = [];
    let count = 0;
    const reading = (name: string) => () => {
      order.push(name);
      return Promise.resolve(count++);
    };
    const taken = await interleave(reading("o"), reading("t"), 10);
    expect(order.join("").slice(0, 8)).toBe("toottoot");
    expect(taken).toHaveLength(10);
    expect(taken[0]).toEqual({ ours: 2, theirs: 3 });
  });

  test("refuses few pairs", async () => {
    const zero = () => Promise.resolve(0);
    await expect(interleave(zero, zero, 9)).rejects.toThrow(/at least 10/);
  });
});

describe("a row", () => {
  test("is met only when the interval's worse end passes", () => {
    const row = pairRow(text, { ratio: "speed", atLeast: 8.1 }, pairs);
    expect(row).toMatchObject({ ours: 10, theirs: 84.5, wanted: "≥ 8.1", met: true });
    expect(row.ratio).toBeCloseTo(8.45, 2);
    // The second smallest and second largest of ten.
    expect(row.low).toBeCloseTo(8.1, 9);
    expect(row.high).toBeCloseTo(8.8, 9);
    expect(pairRow(text, { ratio: "speed", atLeast: 8.2 }, pairs).met).toBe(false);
  });

  test("an upper limit is judged by the high end, and its ratio is ours over theirs", () => {
    const turned = pairs.map(({ ours, theirs }) => ({ ours: theirs, theirs: ours }));
    expect(pairRow(text, { ratio: "size", atMost: 8.81 }, turned).met).toBe(true);
    expect(pairRow(text, { ratio: "size", atMost: 8.7 }, turned).met).toBe(false);
  });

  test("a reading of nothing is an error, not a ratio", () => {
    const broken = pairs.map((pair, index) => (index === 4 ? { ...pair, ours: 0 } : pair));
    expect(() => pairRow(text, { ratio: "speed", atLeast: 8 }, broken)).toThrow(/ratio Infinity/);
  });

  test("a fixed limit", () => {
    const row = limitRow(
      { name: "n", unit: "s" },
      15,
      Array.from({ length: 10 }, () => 12),
    );
    expect(row).toMatchObject({ against: "-", ours: 12, theirs: 15, wanted: "≤ 15 s", met: true });
    expect(row.ratio).toBeCloseTo(0.8, 9);
  });
});

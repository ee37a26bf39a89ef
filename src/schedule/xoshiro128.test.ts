import { expect, test } from "vitest";
import { splitMix64, xoshiro128, xoshiro128State } from "./xoshiro128.ts";

const take = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);

test("gives the published numbers of xoshiro128** from the state 1, 2, 3, 4", () => {
  // The vector of the authors' C code that rand_xoshiro and other ports are tested with.
  expect(take(10, xoshiro128([1, 2, 3, 4]))).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

test("gives the published numbers of SplitMix64 from the seed 1234567", () => {
  // Rosetta Code, "Pseudo-random numbers/Splitmix64", from Vigna's C code.
  expect(take(5, splitMix64(1234567))).toEqual([
    6457827717110365317n,
    3203168211198807973n,
    9817491932198370423n,
    4593380528125082431n,
    16408922859458223821n,
  ]);
});

test("seeds with two outputs of SplitMix64, low word first", () => {
  const [first, second] = take(2, splitMix64(1234567));
  const [a, b, c, d] = xoshiro128State(1234567).map(BigInt);
  expect([((b ?? 0n) << 32n) | (a ?? 0n), ((d ?? 0n) << 32n) | (c ?? 0n)]).toEqual([first, second]);
});

test("tells every seed that a number can hold from its neighbour", () => {
  const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 53 - 2, 2 ** 53 - 1];
  const firsts = seeds.map((seed) => take(4, xoshiro128(xoshiro128State(seed))).join());
  expect(new Set(firsts).size).toBe(seeds.length);
});

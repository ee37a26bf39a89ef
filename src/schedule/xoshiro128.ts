const MASK_64 = (1n << 64n) - 1n;

/**
 * SplitMix64 (Steele, Lea, Flood 2014; constants of Vigna's splitmix64.c): spreads a seed of any size over 64 bits.
 * Blackman and Vigna ask for it to seed their generators, because similar states give similar first numbers.
 */
export function splitMix64(seed: number): () => bigint {
  let state = BigInt(seed) & MASK_64;
  return () => {
    state = (state + 0x9e3779b97f4a7c15n) & MASK_64;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64;
    return z ^ (z >> 31n);
  };
}

/** The four 32-bit words of xoshiro128**; not all zero. */
type Xoshiro128State = [number, number, number, number];

/** The state that a seed (an integer from 0) stands for: two outputs of SplitMix64, low word first. */
export function xoshiro128State(seed: number): Xoshiro128State {
  const next = splitMix64(seed);
  const first = next();
  const second = next();
  const words = [first, first >> 32n, second, second >> 32n].map((word) => Number(word & 0xffffffffn));
  return words as Xoshiro128State;
}

const rotateLeft = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

/**
 * xoshiro128** 1.1 (Blackman, Vigna: "Scrambled linear pseudorandom number generators", 2018; prng.di.unimi.it).
 * Returns a function that draws uniform integers from 0 to 2^32 - 1. Not for secrets.
 */
export function xoshiro128(state: Xoshiro128State): () => number {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

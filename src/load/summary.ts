import { ErrorCode } from "./recorder.ts";
import type { LoadProgress } from "./load.ts";

/** Steps a doubling: a bucket is at most 1/16 wide of its value. */
const STEPS = 16;
/** Buckets from 1 µs to 2^32 µs, over an hour. */
const BUCKETS = 32 * STEPS;

/** Words of the memory that a loop shares with its supervisor. */
const Word = { stop: 0, begun: 1, finished: 2, failed: 3, buckets: 4 } as const;
export const LIVE_BYTES = 4 * (Word.buckets + BUCKETS);

export const Stop = { no: 0, drain: 1, cut: 2 } as const;
export type Stop = (typeof Stop)[keyof typeof Stop];

/**
 * What a running loop tells, and is told, while it runs: counters, a coarse histogram of latencies, a stop word, in
 * memory shared between threads. The loop is the only writer of all but the stop word, so plain stores are enough:
 * a reader that sees a value late shows it late.
 */
export class LiveCounts {
  private readonly words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
  }

  requestStop(stop: Stop): void {
    Atomics.store(this.words, Word.stop, stop);
  }

  stop(): Stop {
    return Atomics.load(this.words, Word.stop) as Stop;
  }

  begin(): void {
    this.words[Word.begun]!++;
  }

  /** `latencyNs` of an answer; failures count as failures only. */
  end(error: number, latencyNs: number): void {
    this.words[Word.finished]!++;
    if (error === ErrorCode.none) this.words[Word.buckets + bucketOf(latencyNs)]!++;
    else if (error !== ErrorCode["cut-off"]) this.words[Word.failed]!++;
  }

  snapshot(): Int32Array {
    return this.words.slice();
  }
}

/** Logarithmic in the leading bit, linear in the four bits behind it. */
export function bucketOf(latencyNs: number): number {
  const us = latencyNs < 1000 ? 1 : latencyNs >= 4.2e12 ? 0xffff_ffff : (latencyNs / 1000) >>> 0;
  const exponent = 31 - Math.clz32(us);
  const step = exponent >= 4 ? (us >>> (exponent - 4)) & 15 : (us << (4 - exponent)) & 15;
  return exponent * STEPS + step;
}

/** Upper end of a bucket, ms. */
export function bucketEndMs(bucket: number): number {
  const exponent = Math.floor(bucket / STEPS);
  return (2 ** exponent * (1 + ((bucket % STEPS) + 1) / STEPS)) / 1000;
}

/** Progress at `now`, with the 95th percentile of what finished since `before` (nearest rank, rounded up to its bucket's end). */
export function progressBetween(before: Int32Array, now: Int32Array): LoadProgress {
  let answers = 0;
  for (let i = Word.buckets; i < now.length; i++) answers += (now[i] ?? 0) - (before[i] ?? 0);
  const rank = Math.ceil(answers * 0.95);
  let recentP95Ms: number | null = null;
  for (let i = Word.buckets, below = 0; i < now.length && answers > 0 && recentP95Ms === null; i++) {
    below += (now[i] ?? 0) - (before[i] ?? 0);
    if (below >= rank) recentP95Ms = bucketEndMs(i - Word.buckets);
  }
  return {
    begun: now[Word.begun] ?? 0,
    finished: now[Word.finished] ?? 0,
    failed: now[Word.failed] ?? 0,
    recentP95Ms,
  };
}

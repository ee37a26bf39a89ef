import type { AtEnd } from "./at-end.ts";

/** One line of the benchmark table: ours beside something else. */
export interface Row {
  name: string;
  /** What it is compared with; `-` for a fixed limit, which then is `theirs`. */
  against: string;
  unit: string;
  /** Medians over the pairs, in `unit`. */
  ours: number;
  theirs: number;
  /** Median of the pairs' ratios, and its interval. */
  ratio: number;
  low: number;
  high: number;
  /** Such as `≥ 8`; NOT_JUDGED: told beside one that is. */
  wanted: string;
  /** The interval's worse end passes; true of a row that is not judged. */
  met: boolean;
  note?: string;
}

/** `wanted` of a row that is told, and met in any case. */
export const NOT_JUDGED = "-";

/** What one bench measures. It cleans up after itself, or leaves it to `atEnd`; `say` takes a line of progress. */
export type Bench = (say: (line: string) => void, atEnd: AtEnd) => Promise<Row[]>;

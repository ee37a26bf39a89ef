import { medianInterval, ratioInterval } from "../src/stats/median-interval.ts";
import type { Row } from "./row.ts";

/** Fewer leave the interval to the extremes. */
const LEAST_PAIRS = 10;

export interface Pair {
  ours: number;
  theirs: number;
}

/** Takes one reading, in the row's unit. */
export type Reading = () => Promise<number>;

/**
 * Readings of both sides in turn, the order reversed from pair to pair, so that what drifts (heat, caches, neighbours on
 * the machine) touches both alike. One pair before them is thrown away: it warms up. Throws RangeError under 10 pairs.
 */
export async function interleave(ours: Reading, theirs: Reading, pairs = LEAST_PAIRS): Promise<Pair[]> {
  const taken = { ours: [] as number[], theirs: [] as number[] };
  await inTurn(
    async () => void taken.ours.push(await ours()),
    async () => void taken.theirs.push(await theirs()),
    pairs,
  );
  return warmPairs(taken.ours, taken.theirs);
}

/** What `interleave` takes its readings by: both are done once more than there are pairs, first the one that warms up. */
export async function inTurn(
  ours: () => Promise<void>,
  theirs: () => Promise<void>,
  pairs = LEAST_PAIRS,
): Promise<void> {
  if (pairs < LEAST_PAIRS) throw new RangeError(`${pairs} pairs: at least ${LEAST_PAIRS} are needed`);
  for (let index = -1; index < pairs; index++) {
    const oursFirst = index % 2 === 0;
    if (oursFirst) await ours();
    await theirs();
    if (!oursFirst) await ours();
  }
}

/** Pairs of what was taken in turn, without the first of each, which warmed up. */
export function warmPairs(ours: readonly number[], theirs: readonly number[]): Pair[] {
  return ours.slice(1).map((figure, i) => ({ ours: figure, theirs: theirs[i + 1] ?? Number.NaN }));
}

export interface RowText {
  name: string;
  against: string;
  unit: string;
  note?: string;
}

/**
 * What is asked of the ratio. `speed` is theirs over ours, for readings that are times: 8 is eight times as fast;
 * `rate` and `size` are ours over theirs. `atLeast` is judged by the interval's low end, `atMost` by its high end.
 */
export type Wanted = { ratio: "speed" | "rate"; atLeast: number } | { ratio: "size"; atMost: number };

/** A row of pairs: medians, the median of the ratios, and its order-statistic interval (src/stats/median-interval.ts). */
export function pairRow(text: RowText, wanted: Wanted, pairs: Pair[]): Row {
  if (pairs.length < LEAST_PAIRS) throw new RangeError(`${pairs.length} pairs: at least ${LEAST_PAIRS} are needed`);
  const ratios = pairs.map(({ ours, theirs }) => (wanted.ratio === "speed" ? theirs / ours : ours / theirs));
  const wrong = ratios.find((ratio) => !(Number.isFinite(ratio) && ratio > 0));
  if (wrong !== undefined) throw new RangeError(`${text.name}: a pair has the ratio ${wrong}`);
  const { estimate, low, high } = ratioInterval(ratios);
  if (low === null || high === null) throw new RangeError(`no interval from ${pairs.length} pairs`);
  return {
    ...text,
    ours: medianInterval(pairs.map(({ ours }) => ours)).estimate,
    theirs: medianInterval(pairs.map(({ theirs }) => theirs)).estimate,
    ratio: estimate,
    low,
    high,
    ...("atLeast" in wanted
      ? { wanted: `≥ ${wanted.atLeast}`, met: low >= wanted.atLeast }
      : { wanted: `≤ ${wanted.atMost}`, met: high <= wanted.atMost }),
  };
}

/** A row that compares readings with a fixed limit, in the same unit; the ratio is reading over limit. */
export function limitRow(text: Omit<RowText, "against">, limit: number, readings: number[]): Row {
  const pairs = readings.map((ours) => ({ ours, theirs: limit }));
  return {
    ...pairRow({ ...text, against: "-" }, { ratio: "size", atMost: 1 }, pairs),
    wanted: `≤ ${limit} ${text.unit}`,
  };
}

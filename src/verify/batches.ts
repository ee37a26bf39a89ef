import type { Question } from "../model/reachability.ts";

/**
 * Datagrams between the same two at once: a kernel refuses six in a row by ICMP to the same machine, then one a second
 * (net.ipv4.icmp_ratelimit, XRLIM_BURST_FACTOR in net/ipv4/icmp.c), and both may ask.
 */
const DATAGRAMS = 4;

/**
 * Splits questions, by their places, into batches that teach the kernel no more neighbours than it has room for.
 * Questions between the same two share their neighbours, so they go together; but for datagrams that are too many at once,
 * which wait until all others have had their first. `parallel`: questions in a batch at most.
 */
export function batchesOf(
  questions: readonly Question[],
  { neighbours, parallel }: { neighbours: number; parallel: number },
): number[][] {
  const batches: number[][] = [];
  for (const wave of wavesOf(questions)) {
    let batch: number[] = [];
    let learned = new Set<string>();
    for (const { question, place } of wave) {
      const entries = neighboursOf(question);
      const added = entries.filter((entry) => !learned.has(entry)).length;
      if (batch.length >= parallel || learned.size + added > neighbours) {
        if (batch.length > 0) batches.push(batch);
        batch = [];
        learned = new Set();
      }
      batch.push(place);
      for (const entry of entries) learned.add(entry);
    }
    if (batch.length > 0) batches.push(batch);
  }
  return batches;
}

interface Placed {
  question: Question;
  place: number;
}

/** Each pair's questions together, and of its datagrams `DATAGRAMS` in each wave. */
function wavesOf(questions: readonly Question[]): Placed[][] {
  const pairs = new Map<string, Placed[]>();
  questions.forEach((question, place) => {
    const { from, to } = question;
    const pair = from < to ? `${from}>${to}` : `${to}>${from}`;
    pairs.set(pair, [...(pairs.get(pair) ?? []), { question, place }]);
  });
  const waves: Placed[][] = [[]];
  for (const placed of pairs.values()) {
    let datagrams = 0;
    for (const one of placed) {
      const wave = one.question.how.kind === "udp" ? Math.floor(datagrams++ / DATAGRAMS) : 0;
      (waves[wave] ??= []).push(one);
    }
  }
  return waves;
}

/** Who may learn whom: the asker the address, the asked the asker, and a router between them the same two. */
function neighboursOf({ from, to, address }: Question): string[] {
  return [`${from}>${address}`, `${to}>${from}`];
}

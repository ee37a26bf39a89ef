import type { Question } from "../model/reachability.ts";

/**
 * Datagrams between the same two at once: a kernel refuses six in a row by ICMP to the same machine, then one a second
 * (net.ipv4.icmp_ratelimit, XRLIM_BURST_FACTOR in net/ipv4/icmp.c), and both may ask.
 */
const DATAGRAMS = 4;

/**
 * Splits questions, by their places, into batches that teach the kernel no more neighbours than it has room for.
 * Questions between the same two share their neighbours, so they go together. `parallel`: questions in a batch at most.
 */
export function batchesOf(
  questions: readonly Question[],
  { neighbours, parallel }: { neighbours: number; parallel: number },
): number[][] {
  const pairs = new Map<string, number[]>();
  questions.forEach(({ from, to }, place) => {
    const pair = from < to ? `${from}>${to}` : `${to}>${from}`;
    pairs.set(pair, [...(pairs.get(pair) ?? []), place]);
  });
  const batches: number[][] = [];
  let batch: number[] = [];
  let learned = new Set<string>();
  const close = () => {
    if (batch.length > 0) batches.push(batch);
    batch = [];
    learned = new Set();
  };
  for (const places of pairs.values()) {
    let datagrams = 0;
    for (const place of places) {
      const question = questions[place];
      if (question === undefined) continue;
      const entries = neighboursOf(question);
      const added = entries.filter((entry) => !learned.has(entry)).length;
      datagrams += question.how.kind === "udp" ? 1 : 0;
      if (batch.length >= parallel || learned.size + added > neighbours || datagrams > DATAGRAMS) {
        close();
        datagrams = question.how.kind === "udp" ? 1 : 0;
      }
      batch.push(place);
      for (const entry of entries) learned.add(entry);
    }
  }
  close();
  return batches;
}

/** Who may learn whom: the asker the address, the asked the asker, and a router between them the same two. */
function neighboursOf({ from, to, address }: Question): string[] {
  return [`${from}>${address}`, `${to}>${from}`];
}

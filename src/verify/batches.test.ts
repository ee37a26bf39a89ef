import { expect, test } from "vitest";
import type { Question } from "../model/reachability.ts";
import { batchesOf } from "./batches.ts";

const names = ["a", "b", "c", "d"];
const all: Question[] = names.flatMap((from) =>
  names
    .filter((to) => to !== from)
    .flatMap((to) => (["icmp", "arp"] as const).map((kind) => ({ from, to, address: to, how: { kind } }))),
);

test("with room for all, one batch; every question once", () => {
  expect(batchesOf(all, { neighbours: 1000, parallel: 1000 })).toHaveLength(1);
  for (const neighbours of [1, 2, 5, 1000]) {
    const batches = batchesOf(all, { neighbours, parallel: 3 });
    expect(batches.flat().toSorted((a, b) => a - b)).toEqual(all.map((_, i) => i));
  }
});

test("no batch learns more neighbours than there is room for", () => {
  for (const batch of batchesOf(all, { neighbours: 6, parallel: 1000 })) {
    const learned = new Set(batch.flatMap((i) => [`${all[i]?.from}>${all[i]?.to}`, `${all[i]?.to}>${all[i]?.from}`]));
    expect(learned.size).toBeLessThanOrEqual(6);
  }
});

test("no questions, no batch", () => {
  expect(batchesOf([], { neighbours: 6, parallel: 1 })).toEqual([]);
});

test("of many datagrams between two a few at once, and nobody else waits for the others", () => {
  const datagrams = Array.from({ length: 10 }, (_, i): Question => {
    return { from: "a", to: "b", address: `b${i}`, how: { kind: "udp", port: 53 } };
  });
  const batches = batchesOf([...datagrams, ...all], { neighbours: 1000, parallel: 1000 });
  expect(batches).toHaveLength(3);
  expect(batches.map((batch) => batch.filter((i) => i < 10).length)).toEqual([4, 4, 2]);
  expect(batches[0]).toHaveLength(4 + all.length);
});

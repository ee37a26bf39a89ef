import type { NftChain, NftSet, NftTable } from "../model/nft.ts";

/** One table from two parts of it: the union of their sets' elements, and the rules of each chain, the first's before the second's. */
export function mergeTables(a: NftTable, b: NftTable, namespace: string): NftTable {
  const where = `${namespace}: table ${a.family} ${a.name}`;
  return {
    ...a,
    sets: union(a.sets, b.sets, (one, other) => mergeSets(one, other, where)),
    chains: union(a.chains, b.chains, (one, other) => mergeChains(one, other, where)),
  };
}

function union<T extends { name: string }>(a: readonly T[], b: readonly T[], merge: (a: T, b: T) => T): T[] {
  const merged = new Map(a.map((one) => [one.name, one]));
  for (const one of b) {
    const present = merged.get(one.name);
    merged.set(one.name, present === undefined ? one : merge(present, one));
  }
  return [...merged.values()];
}

function mergeSets(a: NftSet, b: NftSet, where: string): NftSet {
  agree(`${where}: set ${a.name}`, [a.type, a.flags], [b.type, b.flags]);
  return { ...a, elements: distinct([...a.elements, ...b.elements]) };
}

function mergeChains(a: NftChain, b: NftChain, where: string): NftChain {
  agree(`${where}: chain ${a.name}`, a.base, b.base);
  return { ...a, rules: distinct([...a.rules, ...b.rules]) };
}

function agree(what: string, a: unknown, b: unknown): void {
  const [first, second] = [JSON.stringify(a), JSON.stringify(b)];
  if (first !== second) throw new Error(`${what}: fragments want ${first} and ${second}`);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

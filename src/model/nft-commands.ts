import type { NftFamily, NftHook, NftRule, NftSet, NftTable } from "./nft.ts";

/** Commands of libnftables-json(5) that make tables of whose names there is none. */
export function addCommands(tables: readonly NftTable[]): unknown[] {
  return tables.flatMap((table) => {
    const { family, name } = table;
    const own = { family, table: name };
    return [
      { add: { table: { family, name } } },
      // Rules speak of sets and other chains, elements of maps of chains.
      ...table.chains.map((chain) => ({ add: { chain: { ...own, name: chain.name, ...encodeHook(chain.base) } } })),
      ...table.sets.map((set) => ({ add: encodeSet(set, own) })),
      ...table.chains.flatMap((chain) => chain.rules.map((rule) => addRule(family, name, chain.name, rule))),
    ];
  });
}

/** The command that adds a rule at a chain's end. */
export function addRule(family: NftFamily, table: string, chain: string, { comment, expr }: NftRule): unknown {
  return { add: { rule: { family, table, chain, ...(comment === undefined ? {} : { comment }), expr } } };
}

/** A base chain's own fields; none of another's. */
export function encodeHook(base: NftHook | null): object {
  if (base === null) return {};
  const { type, hook, priority, policy, device } = base;
  return { type, hook, prio: priority, policy, ...(device === undefined || device === null ? {} : { dev: device }) };
}

/** A set or a map with its elements. */
export function encodeSet({ elements, map, ...set }: NftSet, own: object): object {
  const elem = elements.length > 0 ? { elem: elements } : {};
  return map === undefined ? { set: { ...own, ...set, ...elem } } : { map: { ...own, ...set, map, ...elem } };
}

import { LabError } from "../model/error.ts";
import type { NftChain, NftFamily, NftHook, NftRule, NftSet, NftStatement, NftTable } from "../model/nft.ts";
import { addCommands, addRule, encodeHook, encodeSet } from "../model/nft-commands.ts";
import { sameData } from "../model/same-data.ts";

/**
 * Commands of libnftables-json(5) that put these tables in place of those with their names, in one transaction. Slower than to
 * add some of which there are none: the kernel waits for its readers when it deletes one.
 */
export function replaceCommands(tables: readonly NftTable[]): unknown[] {
  return tables.flatMap((table) => {
    const { family, name } = table;
    return [
      // Adding what may be there makes the deletion succeed in either case.
      { add: { table: { family, name } } },
      { delete: { table: { family, name } } },
      ...addCommands([table]),
    ];
  });
}

/**
 * Commands that make one table, which is there, another, in one transaction. What stays is not touched, and nothing is deleted
 * where something only comes: the kernel waits for its readers when it deletes. Where what is in use would have to be made
 * anew, the table is replaced. Both as plans have them. The transaction fails when an element is not there.
 */
export function updateCommands(before: NftTable, after: NftTable): unknown[] {
  if (!isExtension(before, after)) return replaceCommands([after]);
  const { family, name: table } = after;
  const own = { family, table };
  const [oldSets, oldChains] = [byName(before.sets), byName(before.chains)];
  const elements = after.sets.flatMap((set) => {
    const old = oldSets.get(set.name);
    return old === undefined ? [{ add: encodeSet(set, own) }] : elementCommands(own, old, set);
  });
  const newChains = after.chains.filter(({ name }) => !oldChains.has(name));
  const rules = after.chains.map((chain) => {
    const old = oldChains.get(chain.name)?.rules ?? [];
    const goesOn = old.every((rule, i) => sameData(rule, chain.rules[i]));
    return { name: chain.name, goesOn, added: goesOn ? chain.rules.slice(old.length) : chain.rules };
  });
  return [
    ...newChains.map(({ name, base }) => ({ add: { chain: { ...own, name, ...encodeHook(base) } } })),
    ...elements,
    ...rules.filter(({ goesOn }) => !goesOn).map(({ name }) => ({ flush: { chain: { ...own, name } } })),
    ...rules.flatMap(({ name, added }) => added.map((rule) => addRule(family, table, name, rule))),
  ];
}

/** Whether sets and chains of the first are in the second, too, as what they were; of maps nothing can be said yet. */
function isExtension(before: NftTable, after: NftTable): boolean {
  const [sets, chains] = [byName(after.sets), byName(after.chains)];
  const hooks = new Set(before.chains.map(({ base }) => base?.hook));
  const oldChains = byName(before.chains);
  return (
    [...before.sets, ...after.sets].every(({ map }) => map === undefined) &&
    before.sets.every((set) => {
      const now = sets.get(set.name);
      // Of intervals nft makes others when they touch.
      const isPlain = set.flags === undefined;
      return now !== undefined && sameData(isPlain ? { ...now, elements: set.elements } : now, set);
    }) &&
    before.chains.every(({ name, base }) => chains.has(name) && sameData(chains.get(name)?.base, base)) &&
    // Where two have one hook, the order in which they were made may count.
    after.chains.every(({ name, base }) => oldChains.has(name) || base === null || !hooks.has(base.hook))
  );
}

function elementCommands(own: InTable, before: NftSet, after: NftSet): unknown[] {
  const [old, now] = [byText(before.elements), byText(after.elements)];
  const command = (verb: "delete" | "add", all: Map<string, unknown>, others: Map<string, unknown>) => {
    const elem = [...all].filter(([text]) => !others.has(text)).map(([, element]) => element);
    return elem.length === 0 ? [] : [{ [verb]: { element: { ...own, name: after.name, elem } } }];
  };
  return [...command("delete", old, now), ...command("add", now, old)];
}

function byName<T extends { name: string }>(all: readonly T[]): Map<string, T> {
  return new Map(all.map((one) => [one.name, one]));
}

function byText(elements: readonly unknown[]): Map<string, unknown> {
  return new Map(elements.map((element) => [JSON.stringify(element), element]));
}

/** Commands that remove tables, given as `family name`. */
export function removeCommands(tables: readonly string[]): unknown[] {
  return tables.map((table) => {
    const [family, name] = table.split(" ");
    return { delete: { table: { family, name } } };
  });
}

/** What `nft -j list ruleset` lists, as far as it is read. */
type Listed =
  | { table: { family: NftFamily; name: string; flags?: string | string[] } }
  | { set: ListedSet }
  | { map: ListedSet }
  | { chain: ListedChain }
  | { rule: InTable & { chain: string; handle: number; comment?: string; expr: NftStatement[] } };

interface InTable {
  family: NftFamily;
  table: string;
}
interface ListedSet extends InTable {
  name: string;
  type: string | string[];
  flags?: string | string[];
  map?: string | string[];
  elem?: unknown[];
}
interface ListedChain extends InTable {
  name: string;
  type?: NftHook["type"];
  hook?: NftHook["hook"];
  prio?: number;
  policy?: NftHook["policy"];
  dev?: string | string[];
}

/** The ruleset of a namespace. */
export interface Ruleset {
  /** Key: `family name`. */
  tables: Record<string, NftTable>;
  /** Keys of tables with flags of which it is not known what they do. nft 1.0.6 lists the table's name in their place. */
  odd: string[];
}

/** Reads what `nft -j list ruleset` prints. A dormant table, which filters nothing, is read as an empty one. */
export function parseRuleset(text: string): Ruleset {
  const nftables = listed(text);
  const tables = new Map<string, NftTable>();
  const dormant = new Set<string>();
  const odd: string[] = [];
  const of = ({ family, table }: InTable) => tables.get(`${family} ${table}`);
  for (const entry of nftables) {
    if ("table" in entry) {
      const { family, name } = entry.table;
      const key = `${family} ${name}`;
      tables.set(key, { family, name, sets: [], chains: [] });
      const flags = listOf(entry.table.flags);
      if (flags.includes("dormant")) dormant.add(key);
      else if (flags.some((flag) => flag !== "owner" && flag !== "persist")) odd.push(key);
    } else if ("set" in entry) of(entry.set)?.sets.push(decodeSet(entry.set));
    else if ("map" in entry) of(entry.map)?.sets.push(decodeSet(entry.map));
    else if ("chain" in entry) of(entry.chain)?.chains.push(decodeChain(entry.chain));
    else if ("rule" in entry) {
      const { chain, handle, comment, expr } = entry.rule;
      const rule: NftRule = { handle, ...(comment === undefined ? {} : { comment }), expr };
      of(entry.rule)
        ?.chains.find(({ name }) => name === chain)
        ?.rules.push(rule);
    }
  }
  for (const key of dormant) {
    const table = tables.get(key);
    if (table !== undefined) tables.set(key, { ...table, sets: [], chains: [] });
  }
  return { tables: Object.fromEntries(tables), odd };
}

function listed(text: string): Listed[] {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nft's own format, and its word is taken for it
    return (JSON.parse(text) as { nftables: Listed[] }).nftables;
  } catch (cause) {
    throw new LabError(`nft listed its ruleset, in ${text.length} characters, not as JSON: …${text.slice(-60)}`, {
      hint: "try again; does `nft -j list ruleset` in that namespace print JSON?",
      cause,
    });
  }
}

function decodeSet({ name, type, flags, map, elem }: ListedSet): NftSet {
  return {
    name,
    type,
    ...(flags === undefined ? {} : { flags: listOf(flags) }),
    ...(map === undefined ? {} : { map }),
    elements: elem ?? [],
  };
}

function decodeChain({ name, family, type, hook, prio, policy, dev }: ListedChain): NftChain {
  if (type === undefined || hook === undefined) return { name, base: null, rules: [] };
  const base: NftHook = { type, hook, priority: prio ?? 0, policy: policy ?? "accept" };
  if (family === "netdev") base.device = listOf(dev)[0] ?? null;
  return { name, base, rules: [] };
}

/** Newer versions of nft list one flag as itself, older ones as a list. */
function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

import type { NftSet, NftStatement, NftTable } from "../model/nft.ts";

/**
 * A table in the one form in which two can be compared: without what is the kernel's own (handles, counts), and the same
 * however it was written and whichever version of nft lists it. Text, so that equal tables are equal strings.
 */
export function canonicalTable(table: NftTable): string {
  const { sets, chains } = canonicalParts(table);
  return JSON.stringify([table.family, table.name, sortedValues([...sets]), sortedValues([...chains])]);
}

/** What differs between two tables of one name: `set macs`, `chain prerouting`. */
export function differingParts(a: NftTable, b: NftTable): string[] {
  const [first, second] = [canonicalParts(a), canonicalParts(b)];
  return (["sets", "chains"] as const).flatMap((kind) => {
    const names = new Set([...first[kind].keys(), ...second[kind].keys()]);
    return sorted([...names])
      .filter((name) => first[kind].get(name) !== second[kind].get(name))
      .map((name) => `${kind.slice(0, -1)} ${name}`);
  });
}

function canonicalParts(table: NftTable): { sets: Map<string, string>; chains: Map<string, string> } {
  return {
    sets: new Map(table.sets.map((set) => [set.name, canonicalSet(set)])),
    chains: new Map(
      table.chains.map(({ name, base, rules }) => [
        name,
        JSON.stringify([
          base === null ? null : [base.type, base.hook, base.priority, base.policy],
          rules.map(({ comment, expr }) => [comment ?? null, canonicalRule(expr, table.family)]),
        ]),
      ]),
    ),
  };
}

function canonicalSet({ type, flags = [], map, elements }: NftSet): string {
  // What packets put into it is not for the plan to say.
  const isFilledByRules = flags.includes("dynamic") || flags.includes("timeout");
  const own = isFilledByRules ? [] : elements.map((element) => JSON.stringify(canonical(element)));
  return JSON.stringify([
    canonicalType(type),
    sorted([...flags]),
    map === undefined ? null : canonicalType(map),
    sorted(own),
  ]);
}

function canonicalType(type: string | string[]): string {
  return typeof type === "string" ? type : type.join(" . ");
}

function canonicalRule(expr: readonly NftStatement[], family: NftTable["family"]): unknown[] {
  return expr
    .filter((statement, i) => !isImplied(statement, expr.slice(i + 1)))
    .map((statement) => canonicalStatement(statement, family));
}

/** What a match of a field says by itself about the protocols below it. nft adds such matches, and leaves them out of lists. */
const IMPLIED_BY: Record<string, string[]> = {
  "meta l4proto tcp": ["tcp"],
  "meta l4proto udp": ["udp"],
  "meta l4proto icmp": ["icmp"],
  "meta l4proto ipv6-icmp": ["icmpv6"],
  "ip protocol tcp": ["tcp"],
  "ip protocol udp": ["udp"],
  "ip protocol icmp": ["icmp"],
  "ip6 nexthdr ipv6-icmp": ["icmpv6"],
  "meta nfproto ipv4": ["ip", "icmp"],
  "meta nfproto ipv6": ["ip6", "icmpv6"],
  "ether type ip": ["ip", "icmp"],
  "ether type ip6": ["ip6", "icmpv6"],
  "ether type arp": ["arp"],
  "meta protocol ip": ["ip", "icmp"],
  "meta protocol ip6": ["ip6", "icmpv6"],
  "meta protocol arp": ["arp"],
  "meta iiftype ether": ["ether"],
};

function isImplied({ match }: NftStatement, rest: readonly NftStatement[]): boolean {
  if (!isRecord(match) || match["op"] !== "==" || typeof match["right"] !== "string" || !isRecord(match["left"]))
    return false;
  const { meta, payload } = match["left"];
  const subject = isRecord(meta)
    ? `meta ${String(meta["key"])}`
    : isRecord(payload)
      ? `${String(payload["protocol"])} ${String(payload["field"])}`
      : "";
  return IMPLIED_BY[`${subject} ${match["right"]}`]?.some((protocol) => matchesFieldOf(rest, protocol)) === true;
}

function matchesFieldOf(value: unknown, protocol: string): boolean {
  if (Array.isArray(value)) return value.some((entry) => matchesFieldOf(entry, protocol));
  if (!isRecord(value)) return false;
  const { payload } = value;
  if (isRecord(payload) && payload["protocol"] === protocol) return true;
  return Object.values(value).some((entry) => matchesFieldOf(entry, protocol));
}

function canonicalStatement(statement: NftStatement, family: NftTable["family"]): unknown {
  const [[name, value] = ["", null]] = Object.entries(statement);
  if (name === "counter" && (value === null || isRecord(value))) return canonical({ counter: null });
  if (!isRecord(value)) return canonical(statement);
  switch (name) {
    case "reject":
      // Without saying with what, it is with this.
      return value["expr"] === "port-unreachable" ? canonical({ reject: null }) : canonical(statement);
    case "limit":
      return canonical({ limit: { ...(value["rate_unit"] === undefined ? { burst: 5 } : {}), ...value } });
    case "dnat":
    case "snat": {
      const { family: translated, ...rest } = value;
      return canonical({ [name]: { ...rest, family: translated ?? family } });
    }
    default:
      return canonical(statement);
  }
}

/** Keys whose lists are sets. */
const UNORDERED = new Set(["set", "flags", "right"]);

function canonical(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const entries = value.map((entry) => canonical(entry, key === "&" || key === "|" ? "flags" : ""));
    if (!UNORDERED.has(key)) return entries;
    const unordered = sortedValues(entries);
    // A set of one is what is in it, except where it takes pairs apart.
    return unordered.length === 1 && !Array.isArray(unordered[0]) ? unordered[0] : unordered;
  }
  if (!isRecord(value)) return value;
  const { prefix, elem, set } = value;
  if (isRecord(prefix) && isWholeAddress(prefix)) return prefix["addr"];
  if (isRecord(elem)) {
    // Seconds left, and what was counted.
    const { val, expires: _, counter: __, ...rest } = elem;
    return Object.keys(rest).length === 0 ? canonical(val) : canonicalEntries({ val, ...rest });
  }
  if (Array.isArray(set) && set.length === 1 && !Array.isArray(set[0]) && Object.keys(value).length === 1) {
    return canonical(set[0]);
  }
  const entries = canonicalEntries(value);
  return entries.length === 0 ? null : entries;
}

function isWholeAddress(prefix: Record<string, unknown>): boolean {
  return prefix["len"] === (String(prefix["addr"]).includes(":") ? 128 : 32);
}

/** Pairs in the order of their keys. */
function canonicalEntries(value: Record<string, unknown>): unknown[] {
  return Object.entries(value)
    .map(([key, entry]) => [key, canonical(entry, key)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function sortedValues(values: readonly unknown[]): unknown[] {
  return values
    .map((value) => ({ value, text: JSON.stringify(value) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ value }) => value);
}

function sorted(texts: string[]): string[] {
  return texts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import type { Host } from "../host/host.ts";
import { AF_INET, AF_INET6 } from "../host/netlink-address.ts";
import * as rt from "../host/netlink-constants.ts";
import type { LinkEntry, QdiscEntry, RouteEntry, RuleEntry } from "../host/netlink-entry.ts";
import type { Link, Unmodelled } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";

/** Links that the model has no kind for, and settings of links that it does not know. */
export function unmodelledLinks(entries: readonly LinkEntry[], links: readonly Link[]): Unmodelled[] {
  const kinds = new Map(links.map(({ name, kind }) => [name, kind]));
  return entries.flatMap(({ name, kind, peculiar }) => [
    ...(kinds.get(name) === "other" ? [onLink(`link ${name} (${kind ?? "a device of the machine"})`, name)] : []),
    ...peculiar.map((what) => onLink(`link ${name}: ${what}`, name)),
  ]);
}

function onLink(object: string, link: string): Unmodelled {
  return { object, bearsOn: { link } };
}

/** Priority and table of the rules that every namespace has. */
const DEFAULT_RULES: Record<number, [number, number][]> = {
  [AF_INET]: [
    [0, rt.RT_TABLE_LOCAL],
    [32766, rt.RT_TABLE_MAIN],
    [32767, rt.RT_TABLE_DEFAULT],
  ],
  [AF_INET6]: [
    [0, rt.RT_TABLE_LOCAL],
    [32766, rt.RT_TABLE_MAIN],
  ],
};

/** Rules of policy routing beside the default ones; a default one that is missing. */
export function unmodelledRules(rules: readonly RuleEntry[]): Unmodelled[] {
  return Object.entries(DEFAULT_RULES).flatMap(([family, defaults]) => {
    const own = rules.filter((rule) => rule.family === Number(family));
    // A kernel without policy routing has none, and looks into the same tables.
    if (own.length === 0) return [];
    const tool = Number(family) === AF_INET ? "ip rule" : "ip -6 rule";
    const isDefault = ({ plain, priority, table }: RuleEntry) =>
      plain && defaults.some(([p, t]) => p === priority && t === table);
    const missing = defaults.filter(
      ([priority, table]) => !own.some((rule) => isDefault(rule) && rule.priority === priority && rule.table === table),
    );
    return [
      ...own.filter((rule) => !isDefault(rule)).map((rule) => onRouting(`${tool} ${describeRule(rule)}`)),
      ...missing.map(([priority]) => onRouting(`${tool} ${priority}: missing`)),
    ];
  });
}

function describeRule({ priority, source, destination, table }: RuleEntry): string {
  const to = destination === null ? "" : ` to ${destination}`;
  return `${priority}: from ${source ?? "all"}${to} lookup ${table}`;
}

function onRouting(object: string): Unmodelled {
  return { object, bearsOn: "routing" };
}

/** Names of the types of routes, from linux/rtnetlink.h. */
const ROUTE_TYPES: Record<number, string> = { 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw", 10: "nat" };

/** Routes of the main table that are more than a way to a destination. */
export function unmodelledRoutes(routes: readonly RouteEntry[]): Unmodelled[] {
  const main = routes.filter(({ table, protocol }) => table === rt.RT_TABLE_MAIN && protocol !== rt.RTPROT_KERNEL);
  const destinations = new Map<string, number>();
  for (const { destination } of main) destinations.set(destination, (destinations.get(destination) ?? 0) + 1);
  return [
    ...main.flatMap(({ destination, type, peculiar }) => [
      ...(type === rt.RTN_UNICAST ? [] : [onRouting(`route ${ROUTE_TYPES[type] ?? `type ${type}`} ${destination}`)]),
      ...peculiar.map((what) => onRouting(`route ${destination}: ${what}`)),
    ]),
    ...[...destinations]
      .filter(([, count]) => count > 1)
      .map(([destination]) => onRouting(`route ${destination}: several, of different metrics`)),
  ];
}

/** Qdiscs that send what they are given, sooner or later, and have no filters. */
const HARMLESS_QDISCS = new Set([
  "noqueue",
  "noop",
  "pfifo",
  "bfifo",
  "pfifo_fast",
  "fq",
  "fq_codel",
  "mq",
  "tbf",
  "netem",
  "",
]);

/** Filters of traffic control; classes that nobody knows. `tc` is run only where there can be some. */
export async function unmodelledTraffic(
  host: Host,
  namespace: NamespaceName,
  qdiscs: readonly QdiscEntry[],
  nameOf: (index: number) => string,
): Promise<Unmodelled[]> {
  const found: Unmodelled[] = [];
  for (const { linkIndex, kind } of qdiscs) {
    if (HARMLESS_QDISCS.has(kind)) continue;
    const link = nameOf(linkIndex);
    const hooks = { ingress: ["ingress"], clsact: ["ingress", "egress"] }[kind];
    if (hooks === undefined) {
      found.push(onLink(`tc qdisc ${kind} on ${link}`, link));
      continue;
    }
    for (const hook of hooks) {
      const argv = ["tc", "-j", "filter", "show", "dev", link, hook] as const;
      for (const filter of filterKinds(await host.processes.must({ argv: [...argv], namespace }))) {
        found.push(onLink(`tc filter on ${link} ${hook}: ${filter}`, link));
      }
    }
  }
  return found;
}

function filterKinds(text: string): string[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tc's own format, and its word is taken for it
  const filters = JSON.parse(text === "" ? "[]" : text) as { kind?: string }[];
  return [...new Set(filters.flatMap(({ kind }) => kind ?? []))];
}

/** Tables of the iptables that was before nftables, and tables whose flags nft does not tell. */
export function unmodelledTables(legacy: readonly string[], odd: readonly string[]): Unmodelled[] {
  return [
    ...legacy.map((table) => onRouting(`legacy ${table} table`)),
    ...odd.map((table) => onRouting(`nft table ${table}: flags that nft does not tell`)),
  ];
}

import {
  withoutGuests,
  type Link,
  type NamespaceState,
  type NetworkState,
  type Route,
  type Switch,
} from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { canonicalTable } from "./canonical-table.ts";
import { sortChanges, type Change } from "./change.ts";
import { newNamespaceState } from "./new-namespace.ts";
import { sameShaping } from "./shaping.ts";

/**
 * What has to be done to bring the network from what is observed to what is wanted, in an order in which it can be done.
 * Only namespaces of `wanted` are looked at; one that was not observed is taken for newly made. Of sysctls only those
 * that are wanted are compared. Pure.
 */
export function diffNetwork(wanted: NetworkState, observed: NetworkState): Change[] {
  return sortChanges(
    Object.entries(withoutGuests(wanted)).flatMap(([namespace, state]) =>
      diffNamespace(namespace, state, observed[namespace] ?? newNamespaceState()),
    ),
  );
}

function diffNamespace(namespace: NamespaceName, wanted: NamespaceState, observed: NamespaceState): Change[] {
  const wantedLinks = new Map(wanted.links.map((link) => [link.name, link]));
  const observedLinks = observed.links.filter(({ name }) => wanted.joined?.includes(name) !== true);
  const gone = goneLinks(observedLinks, wantedLinks);
  // What stands on a link goes with it.
  const stays = ({ link }: { link: string | null }) => link === null || !gone.has(link);
  const leased = new Set(wanted.leased);
  const isOurs = (entry: { link: string | null }) => stays(entry) && (entry.link === null || !leased.has(entry.link));

  return [
    ...diffLinks(namespace, wantedLinks, observedLinks, gone),
    ...diffSet(
      wanted.addresses,
      observed.addresses.filter(isOurs),
      (a) => `${a.address}/${a.prefix} on ${a.link}`,
      () => true,
      (change) => ({ namespace, object: "address", ...change }),
    ),
    ...diffRoutes(namespace, wanted.routes, observed.routes.filter(isOurs)),
    ...diffSet(
      wanted.neighbours,
      observed.neighbours.filter(stays),
      (n) => `${n.proxy ? "proxy " : ""}${n.address} on ${n.link}`,
      (a, b) => a.mac === b.mac,
      (change) => ({ namespace, object: "neighbour", ...change }),
    ),
    ...diffSysctls(namespace, wanted.sysctls, observed.sysctls),
    ...diffSet(
      Object.values(wanted.tables),
      Object.values(observed.tables),
      (table) => `${table.family} ${table.name}`,
      (a, b) => canonicalTable(a) === canonicalTable(b),
      (change) => ({ namespace, object: "table", ...change }),
    ),
    ...diffSet(
      wanted.switches ?? [],
      observed.switches ?? [],
      ({ name }) => name,
      sameSwitch,
      (change) => ({ namespace, object: "switch", ...change }),
    ),
  ];
}

/** Names of the links that have to be removed, and of those that go with them. */
function goneLinks(observed: Link[], wanted: ReadonlyMap<string, Link>): Set<string> {
  const gone = new Set(observed.filter((link) => mustGo(link, wanted.get(link.name))).map(({ name }) => name));
  // A sub-interface of a sub-interface: one more round for each storey.
  for (let before = -1; before < gone.size;) {
    before = gone.size;
    for (const { name, vlan } of observed) if (vlan !== undefined && gone.has(vlan.parent)) gone.add(name);
  }
  return gone;
}

/** Whether the observed link has to be removed: not wanted, or of a nature that no change can give it. */
function mustGo(observed: Link, wanted: Link | undefined): boolean {
  // The kernel makes it and keeps it; Open vSwitch makes and removes its own.
  if (observed.kind === "loopback" || observed.kind === "switch-port") return false;
  if (wanted === undefined || wanted.kind !== observed.kind) return true;
  if (wanted.kind === "vlan") {
    return wanted.vlan?.parent !== observed.vlan?.parent || wanted.vlan?.id !== observed.vlan?.id;
  }
  return (
    wanted.kind === "veth" &&
    (wanted.peer?.namespace !== observed.peer?.namespace || wanted.peer?.name !== observed.peer?.name)
  );
}

function diffLinks(
  namespace: NamespaceName,
  wanted: Map<string, Link>,
  observedLinks: Link[],
  gone: ReadonlySet<string>,
): Change[] {
  const changes: Change[] = [];
  const kept = new Map<string, Link>();
  for (const link of observedLinks) {
    if (gone.has(link.name)) {
      changes.push({ kind: "remove", namespace, object: "link", name: link.name, wanted: null, observed: link });
    } else {
      // A port of a bridge that is made anew is a port of nothing meanwhile.
      kept.set(link.name, link.master !== null && gone.has(link.master) ? withoutMaster(link) : link);
    }
  }
  for (const [name, link] of wanted) {
    if (link.kind === "switch-port") continue;
    const present = kept.get(name);
    if (present === undefined) {
      changes.push({ kind: "add", namespace, object: "link", name, wanted: link, observed: null });
    } else if (!sameLink(link, present)) {
      changes.push({ kind: "change", namespace, object: "link", name, wanted: link, observed: present });
    }
  }
  return changes;
}

function withoutMaster(link: Link): Link {
  return { ...link, master: null, ...(link.isolated === undefined ? {} : { isolated: false }) };
}

function sameLink(wanted: Link, observed: Link): boolean {
  return (
    wanted.up === observed.up &&
    wanted.mtu === observed.mtu &&
    (wanted.mac === null || wanted.mac === observed.mac) &&
    wanted.master === observed.master &&
    (wanted.isolated ?? false) === (observed.isolated ?? false) &&
    sameShaping(wanted.shaping, observed.shaping) &&
    sameCpus(wanted.rpsCpus, observed.rpsCpus)
  );
}

/** Whether two lists name the same CPUs. */
export function sameCpus(a: readonly number[], b: readonly number[]): boolean {
  const [first, second] = [new Set(a), new Set(b)];
  return first.size === second.size && [...first].every((cpu) => second.has(cpu));
}

/** A route whose destination stays and whose way differs is changed, not removed and added: no moment without it. */
function diffRoutes(namespace: NamespaceName, wanted: Route[], observed: Route[]): Change[] {
  const isAs = (want: Route, have: Route) =>
    want.destination === have.destination &&
    want.via === have.via &&
    (want.link === null || want.link === have.link) &&
    (want.onLink ?? false) === (have.onLink ?? false) &&
    want.source === have.source;
  const missing = wanted.filter((want) => !observed.some((have) => isAs(want, have)));
  const surplus = new Set(observed.filter((have) => !wanted.some((want) => isAs(want, have))));
  const changes = missing.map((want): Change => {
    const others = [...surplus].filter(({ destination }) => destination === want.destination);
    const replaced = others[0] ?? null;
    if (replaced !== null) surplus.delete(replaced);
    const kind = replaced === null ? "add" : "change";
    return { kind, namespace, object: "route", name: want.destination, wanted: want, observed: replaced };
  });
  const removals = [...surplus].map((have): Change => {
    return { kind: "remove", namespace, object: "route", name: have.destination, wanted: null, observed: have };
  });
  return [...changes, ...removals];
}

interface Difference<T> {
  kind: Change["kind"];
  name: string;
  wanted: T | null;
  observed: T | null;
}

/** `nameOf` identifies; of two with one name, `same` says whether they are alike. */
function diffSet<T>(
  wanted: readonly T[],
  observed: readonly T[],
  nameOf: (entry: T) => string,
  same: (a: T, b: T) => boolean,
  toChange: (difference: Difference<T>) => Change,
): Change[] {
  const wantedByName = new Map(wanted.map((entry) => [nameOf(entry), entry]));
  const observedByName = new Map(observed.map((entry) => [nameOf(entry), entry]));
  const changes: Change[] = [];
  for (const [name, entry] of wantedByName) {
    const present = observedByName.get(name);
    if (present === undefined) changes.push(toChange({ kind: "add", name, wanted: entry, observed: null }));
    else if (!same(entry, present)) changes.push(toChange({ kind: "change", name, wanted: entry, observed: present }));
  }
  for (const [name, entry] of observedByName) {
    if (!wantedByName.has(name)) changes.push(toChange({ kind: "remove", name, wanted: null, observed: entry }));
  }
  return changes;
}

function diffSysctls(
  namespace: NamespaceName,
  wanted: Record<string, string>,
  observed: Record<string, string>,
): Change[] {
  return Object.entries(wanted).flatMap(([name, value]): Change[] => {
    const present = observed[name];
    if (present === value) return [];
    const kind = present === undefined ? "add" : "change";
    return [{ kind, namespace, object: "sysctl", name, wanted: value, observed: present ?? null }];
  });
}

/** Ports and what they name are sets. */
function sameSwitch(a: Switch, b: Switch): boolean {
  return canonicalSwitch(a) === canonicalSwitch(b);
}

function canonicalSwitch({ name, ports }: Switch): string {
  const texts = ports.map(({ link, vlan, guard, rateBitsPerSecond }) =>
    JSON.stringify([
      link,
      "access" in vlan ? vlan.access : vlan.trunk.toSorted((a, b) => a - b),
      guard === null ? null : [guard.mac, guard.addresses.toSorted()],
      rateBitsPerSecond ?? null,
    ]),
  );
  return JSON.stringify([name, texts.toSorted()]);
}

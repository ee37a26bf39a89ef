import type { Link, NamespaceState, NetworkState, Route } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { sortChanges, type Change } from "./change.ts";
import { newNamespaceState } from "./new-namespace.ts";

/**
 * What has to be done to bring the network from what is observed to what is wanted, in an order in which it can be done.
 * Only namespaces of `wanted` are looked at; one that was not observed is taken for newly made. Of sysctls only those
 * that are wanted are compared. Pure.
 */
export function diffNetwork(wanted: NetworkState, observed: NetworkState): Change[] {
  return sortChanges(
    Object.entries(wanted).flatMap(([namespace, state]) =>
      diffNamespace(namespace, state, observed[namespace] ?? newNamespaceState()),
    ),
  );
}

function diffNamespace(namespace: NamespaceName, wanted: NamespaceState, observed: NamespaceState): Change[] {
  const wantedLinks = new Map(wanted.links.map((link) => [link.name, link]));
  const gone = new Set(
    observed.links.filter((link) => mustGo(link, wantedLinks.get(link.name))).map((link) => link.name),
  );
  // What stands on a link goes with it.
  const stays = ({ link }: { link: string | null }) => link === null || !gone.has(link);
  const leased = new Set(wanted.leased);
  const isOurs = (entry: { link: string | null }) => stays(entry) && (entry.link === null || !leased.has(entry.link));

  return [
    ...diffLinks(namespace, wantedLinks, observed.links, gone),
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
    ...diffRecord(wanted.sysctls, observed.sysctls, false, (change) => ({ namespace, object: "sysctl", ...change })),
    ...diffRecord(wanted.tables, observed.tables, true, (change) => ({ namespace, object: "table", ...change })),
  ];
}

/** Whether the observed link has to be removed: not wanted, or of a nature that no change can give it. */
function mustGo(observed: Link, wanted: Link | undefined): boolean {
  // The kernel makes it and keeps it.
  if (observed.kind === "loopback") return false;
  if (wanted === undefined || wanted.kind !== observed.kind) return true;
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
      kept.set(link.name, link.master !== null && gone.has(link.master) ? { ...link, master: null } : link);
    }
  }
  for (const [name, link] of wanted) {
    const present = kept.get(name);
    if (present === undefined) {
      changes.push({ kind: "add", namespace, object: "link", name, wanted: link, observed: null });
    } else if (!sameLink(link, present)) {
      changes.push({ kind: "change", namespace, object: "link", name, wanted: link, observed: present });
    }
  }
  return changes;
}

function sameLink(wanted: Link, observed: Link): boolean {
  return (
    wanted.up === observed.up &&
    wanted.mtu === observed.mtu &&
    (wanted.mac === null || wanted.mac === observed.mac) &&
    wanted.master === observed.master &&
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
    want.destination === have.destination && want.via === have.via && (want.link === null || want.link === have.link);
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

function diffRecord(
  wanted: Record<string, string>,
  observed: Record<string, string>,
  removes: boolean,
  toChange: (difference: Difference<string>) => Change,
): Change[] {
  return diffSet(
    Object.entries(wanted),
    Object.entries(observed).filter(([name]) => removes || name in wanted),
    ([name]) => name,
    ([, a], [, b]) => a === b,
    (difference) =>
      toChange({
        ...difference,
        wanted: difference.wanted?.[1] ?? null,
        observed: difference.observed?.[1] ?? null,
      }),
  );
}

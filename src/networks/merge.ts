import type { NamespaceState, NetworkState, Switch } from "../model/network-state.ts";
import type { NftTable } from "../model/nft.ts";
import { mergeTables } from "./merge-tables.ts";

/**
 * Puts fragments together: the union of their links, addresses, routes, neighbours, sysctls and switches, and of the sets and
 * rules of their tables, per namespace. Fragments may repeat each other. Throws an Error when two want the same link, sysctl,
 * chain or switch differently: the modes that made them disagree, which no lab file can cause.
 */
export function mergeNetworkStates(fragments: readonly NetworkState[]): NetworkState {
  const merged = new Map<string, NamespaceState[]>();
  for (const fragment of fragments) {
    for (const [namespace, state] of Object.entries(fragment)) {
      const parts = merged.get(namespace);
      if (parts === undefined) merged.set(namespace, [state]);
      else parts.push(state);
    }
  }
  return Object.fromEntries([...merged].map(([namespace, parts]) => [namespace, mergeParts(namespace, parts)]));
}

function mergeParts(namespace: string, parts: NamespaceState[]): NamespaceState {
  const [only, ...others] = parts;
  // Most namespaces of a large lab are a guest's, which one network has made.
  if (only !== undefined && others.length === 0) return only;
  const draft = newDraft();
  for (const part of parts) addTo(draft, namespace, part);
  return finish(draft);
}

/** What a namespace does as soon as one of its networks wants it: forward, speak IPv6. */
const ENOUGH_ONCE: Readonly<Record<string, string>> = {
  "net.ipv4.ip_forward": "1",
  "net.ipv6.conf.all.disable_ipv6": "0",
};

type ListName = "links" | "addresses" | "routes" | "neighbours";

interface Draft {
  lists: { [L in ListName]: Map<string, NamespaceState[L][number]> };
  leased: Set<string>;
  sysctls: Map<string, string>;
  tables: Map<string, NftTable>;
  switches: Map<string, Switch>;
}

function newDraft(): Draft {
  return {
    lists: { links: new Map(), addresses: new Map(), routes: new Map(), neighbours: new Map() },
    leased: new Set(),
    sysctls: new Map(),
    tables: new Map(),
    switches: new Map(),
  };
}

function addTo(draft: Draft, namespace: string, state: NamespaceState): void {
  const { lists } = draft;
  for (const link of state.links) put(lists.links, link.name, link, `${namespace}: link ${link.name}`);
  for (const address of state.addresses) {
    put(lists.addresses, JSON.stringify(address), address, namespace);
  }
  for (const route of state.routes) put(lists.routes, JSON.stringify(route), route, namespace);
  for (const neighbour of state.neighbours) put(lists.neighbours, JSON.stringify(neighbour), neighbour, namespace);
  for (const link of state.leased ?? []) draft.leased.add(link);
  for (const [name, value] of Object.entries(state.sysctls)) {
    const decided = ENOUGH_ONCE[name];
    if (decided !== undefined && draft.sysctls.get(name) === decided) continue;
    if (value === decided) draft.sysctls.delete(name);
    put(draft.sysctls, name, value, `${namespace}: sysctl ${name}`);
  }
  for (const [name, table] of Object.entries(state.tables)) {
    const present = draft.tables.get(name);
    draft.tables.set(name, present === undefined ? table : mergeTables(present, table, namespace));
  }
  for (const one of state.switches ?? []) put(draft.switches, one.name, one, `${namespace}: switch ${one.name}`);
}

function put<T>(into: Map<string, T>, key: string, value: T, what: string): void {
  const present = into.get(key);
  if (present === value) return;
  if (present !== undefined && JSON.stringify(present) !== JSON.stringify(value)) {
    throw new Error(`${what}: fragments want ${JSON.stringify(present)} and ${JSON.stringify(value)}`);
  }
  into.set(key, value);
}

function finish(draft: Draft): NamespaceState {
  const { lists, leased } = draft;
  return {
    links: [...lists.links.values()],
    addresses: [...lists.addresses.values()],
    routes: [...lists.routes.values()],
    neighbours: [...lists.neighbours.values()],
    ...(leased.size > 0 ? { leased: [...leased] } : {}),
    sysctls: Object.fromEntries(draft.sysctls),
    tables: Object.fromEntries(draft.tables),
    ...(draft.switches.size > 0 ? { switches: [...draft.switches.values()] } : {}),
  };
}

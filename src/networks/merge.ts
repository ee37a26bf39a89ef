import type { NamespaceState, NetworkState } from "../model/network-state.ts";

/**
 * Puts fragments together: the union of their links, addresses, routes, neighbours, sysctls and tables, per namespace.
 * Fragments may repeat each other. Throws an Error when two want the same link, sysctl or table differently: the modes
 * that made them disagree, which no lab file can cause.
 */
export function mergeNetworkStates(fragments: readonly NetworkState[]): NetworkState {
  const merged = new Map<string, Draft>();
  for (const fragment of fragments) {
    for (const [namespace, state] of Object.entries(fragment)) {
      let draft = merged.get(namespace);
      if (draft === undefined) merged.set(namespace, (draft = newDraft()));
      addTo(draft, namespace, state);
    }
  }
  return Object.fromEntries([...merged].map(([namespace, draft]) => [namespace, finish(draft)]));
}

type ListName = "links" | "addresses" | "routes" | "neighbours";

interface Draft {
  lists: { [L in ListName]: Map<string, NamespaceState[L][number]> };
  leased: Set<string>;
  sysctls: Map<string, string>;
  tables: Map<string, string>;
}

function newDraft(): Draft {
  return {
    lists: { links: new Map(), addresses: new Map(), routes: new Map(), neighbours: new Map() },
    leased: new Set(),
    sysctls: new Map(),
    tables: new Map(),
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
    put(draft.sysctls, name, value, `${namespace}: sysctl ${name}`);
  }
  for (const [name, text] of Object.entries(state.tables)) put(draft.tables, name, text, `${namespace}: table ${name}`);
}

function put<T>(into: Map<string, T>, key: string, value: T, what: string): void {
  const present = into.get(key);
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
  };
}

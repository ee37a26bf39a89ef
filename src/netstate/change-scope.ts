import type { NamespaceState, Neighbour, NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { linkOfSysctl, type Change } from "./change.ts";
import { newNamespaceState } from "./new-namespace.ts";

type NeighbourName = Pick<Neighbour, "link" | "address" | "proxy">;

/** Objects of one namespace that a change concerns. */
export interface Scope {
  /** Links, with their addresses and routes. */
  links: Set<string>;
  /** Key: `neighbourKey`. */
  neighbours: Map<string, NeighbourName>;
  sysctls: Set<string>;
}

/**
 * What has to be read to carry out these changes, which lead from `before` to `after`: their objects, and what the kernel
 * takes along with them. Tables are not among them. null: something that cannot be read by itself. Pure.
 */
export function changeScope(
  changes: readonly Change[],
  before: NetworkState,
  after: NetworkState,
): Map<NamespaceName, Scope> | null {
  const scopes = new Map<NamespaceName, Scope>();
  const of = (namespace: NamespaceName): Scope => {
    let scope = scopes.get(namespace);
    if (scope === undefined) {
      scope = { links: new Set(), neighbours: new Map(), sysctls: new Set() };
      scopes.set(namespace, scope);
    }
    return scope;
  };
  for (const change of changes) {
    const { namespace, object, name } = change;
    const states = [before[namespace], after[namespace]].map((state) => state ?? newNamespaceState());
    switch (object) {
      case "link":
        for (const state of states) addLink(of(namespace), state, name);
        break;
      case "address": {
        const entry = change.wanted ?? change.observed;
        if (entry !== null) of(namespace).links.add(entry.link);
        // A route goes with the source that it prefers.
        for (const { link, source } of states.flatMap(({ routes }) => routes)) {
          if (source !== undefined && source === entry?.address && link !== null) of(namespace).links.add(link);
        }
        break;
      }
      case "route": {
        const links = [change.wanted, change.observed].flatMap((route) => (route === null ? [] : [route.link]));
        for (const link of links) {
          if (link === null) return null;
          of(namespace).links.add(link);
        }
        break;
      }
      case "neighbour": {
        const entry = change.wanted ?? change.observed;
        if (entry !== null) addNeighbour(of(namespace), entry);
        break;
      }
      case "sysctl":
        of(namespace).sysctls.add(name);
        break;
      case "switch":
        return null;
      case "table":
        break;
    }
  }
  return scopes;
}

/** A link with all that is set on it, for when it goes down, or comes anew, all of that is gone. */
function addLink(scope: Scope, state: NamespaceState, name: string): void {
  scope.links.add(name);
  for (const entry of state.neighbours) if (entry.link === name) addNeighbour(scope, entry);
  for (const sysctl of Object.keys(state.sysctls)) if (linkOfSysctl(sysctl) === name) scope.sysctls.add(sysctl);
}

function addNeighbour(scope: Scope, { link, address, proxy }: NeighbourName): void {
  const name = { link, address, proxy };
  scope.neighbours.set(neighbourKey(name), name);
}

function neighbourKey({ link, address, proxy }: NeighbourName): string {
  return `${link} ${address} ${proxy}`;
}

/** Of a wanted state what lies within the scope. Tables and switches never do. */
export function withinScope(state: NamespaceState, { links, neighbours, sysctls }: Scope): NamespaceState {
  const { leased, joined } = state;
  const isOn = ({ link }: { link: string | null }) => link !== null && links.has(link);
  return {
    links: state.links.filter(({ name }) => links.has(name)),
    addresses: state.addresses.filter(isOn),
    routes: state.routes.filter(isOn),
    neighbours: state.neighbours.filter((entry) => neighbours.has(neighbourKey(entry))),
    ...(leased === undefined ? {} : { leased }),
    ...(joined === undefined ? {} : { joined }),
    sysctls: Object.fromEntries(Object.entries(state.sysctls).filter(([name]) => sysctls.has(name))),
    tables: {},
  };
}

import type { LinkEntry } from "../host/netlink-entry.ts";
import type { Link, NamespaceState, NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Scope } from "./change-scope.ts";
import { resolvePeers, type PeerOf } from "./peers.ts";
import { readRps, readSysctls, toState } from "./read-namespace.ts";
import type { NetworkSession } from "./session.ts";
import { readShaping, SHAPING_QDISCS } from "./shaping.ts";

/**
 * Reads back from the kernel what lies within the scopes, and nothing else: each object is asked for by its name.
 * @param like the plan: by which bridges and other ends the links should be known
 */
export function observeScopes(
  session: NetworkSession,
  scopes: ReadonlyMap<NamespaceName, Scope>,
  like: NetworkState,
): NetworkState {
  const links = new Map<NamespaceName, LinkEntry[]>();
  for (const [namespace, names] of linksToRead(scopes, like)) {
    const socket = session.socket(namespace);
    const entries = [...names].flatMap((name) => socket.link(name) ?? []);
    session.learnSome(namespace, names, entries, like[namespace]?.links.length ?? 0);
    links.set(namespace, entries);
  }
  const peerOf = resolvePeers(session, links);
  return Object.fromEntries(
    [...scopes].map(([namespace, scope]) => [
      namespace,
      readScope(session, namespace, scope, links.get(namespace) ?? [], like[namespace], peerOf),
    ]),
  );
}

/** Beside the links themselves those that say where they belong: bridge, parent, other end. */
function linksToRead(scopes: ReadonlyMap<NamespaceName, Scope>, like: NetworkState): Map<NamespaceName, Set<string>> {
  const names = new Map<NamespaceName, Set<string>>();
  const add = (namespace: NamespaceName, name: string) => {
    const present = names.get(namespace);
    if (present === undefined) names.set(namespace, new Set([name]));
    else present.add(name);
  };
  for (const [namespace, scope] of scopes) {
    const planned = new Map(like[namespace]?.links.map((link) => [link.name, link]));
    for (const { link } of scope.neighbours.values()) add(namespace, link);
    for (const name of scope.links) {
      add(namespace, name);
      const { master = null, vlan, peer = null }: Partial<Link> = planned.get(name) ?? {};
      if (master !== null) add(namespace, master);
      if (vlan !== undefined) add(namespace, vlan.parent);
      if (peer !== null) add(peer.namespace, peer.name);
    }
  }
  return names;
}

function readScope(
  session: NetworkSession,
  namespace: NamespaceName,
  scope: Scope,
  entries: readonly LinkEntry[],
  like: NamespaceState | undefined,
  peerOf: PeerOf,
): NamespaceState {
  const socket = session.socket(namespace);
  const names = new Map(entries.map(({ index, name }) => [index, name]));
  const indexes = new Map(entries.map(({ index, name }) => [name, index]));
  const links = entries.filter(({ name }) => scope.links.has(name));
  const inside = session.within(namespace, () => ({
    rps: links.length === 0 ? new Map<string, number[]>() : readRps(links),
    sysctls: readSysctls([...scope.sysctls]),
  }));
  const neighbours = [...scope.neighbours.values()].flatMap(({ link, address, proxy }) => {
    const index = indexes.get(link);
    return (index === undefined ? null : socket.neighbour(index, address, proxy)) ?? [];
  });
  const state = toState(
    {
      links,
      addresses: links.flatMap(({ index }) => socket.addressesOn(index)),
      routes: links.flatMap(({ index }) => socket.routesOn(index)),
      neighbours,
      ...inside,
    },
    { nameOf: (index) => names.get(index) ?? `link ${index}`, like, peerOf: (link) => peerOf(namespace, link) },
  );
  for (const [i, link] of state.links.entries()) {
    const { qdisc = null, index = 0 } = links[i] ?? {};
    const shaping = qdisc !== null && SHAPING_QDISCS.has(qdisc) ? readShaping(socket, index) : undefined;
    if (shaping !== undefined) link.shaping = shaping;
  }
  return state;
}

import type { LinkEntry } from "../host/netlink-entry.ts";
import type { Link } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { NetworkSession } from "./session.ts";

export type PeerOf = (namespace: NamespaceName, link: LinkEntry) => Link["peer"];

/**
 * Finds the other ends of veths. The kernel gives the other end's index and a namespace id that has a meaning in the asking
 * namespace only. Of the namespaces observed, those with a veth of that index whose own other end has this one's index come
 * into question; whether it is one of them the kernel says, which is asked for the id of each.
 */
export function resolvePeers(session: NetworkSession, links: ReadonlyMap<NamespaceName, LinkEntry[]>): PeerOf {
  const ends = new Map<string, { namespace: NamespaceName; name: string }[]>();
  for (const [namespace, entries] of links) {
    for (const { kind, index, peerIndex, name } of entries) {
      if (kind !== "veth" || peerIndex === null) continue;
      const key = `${index} ${peerIndex}`;
      const alike = ends.get(key);
      if (alike === undefined) ends.set(key, [{ namespace, name }]);
      else alike.push({ namespace, name });
    }
  }

  const ids = new Map<string, number | null>();
  const idOf = (namespace: NamespaceName, other: NamespaceName): number | null => {
    const key = `${namespace} ${other}`;
    let id = ids.get(key);
    if (id === undefined) {
      id = session.socket(namespace).namespaceIds([session.fd(other)])[0] ?? null;
      ids.set(key, id);
    }
    return id;
  };

  return (namespace, { index, peerIndex, peerNamespaceId }) => {
    const candidates = ends.get(`${peerIndex} ${index}`) ?? [];
    const peer = candidates.find((candidate) =>
      peerNamespaceId === null
        ? candidate.namespace === namespace
        : candidate.namespace !== namespace && idOf(namespace, candidate.namespace) === peerNamespaceId,
    );
    return peer ?? null;
  };
}

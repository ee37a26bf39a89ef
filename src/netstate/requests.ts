import type { NetlinkRequest } from "../host/netlink-request.ts";
import type { Link } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Change, LinkChange } from "./change.ts";
import type { NetworkSession } from "./session.ts";

/** What the kernel is asked for to carry out one change; of links that are added, bridges only. */
export function requestsFor(session: NetworkSession, change: Change): NetlinkRequest[] {
  const { namespace, object, kind } = change;
  const link = (name: string) => session.link(namespace, name);
  switch (object) {
    case "link":
      return linkRequests(session, change);
    case "address": {
      const entry = change.wanted ?? change.observed;
      if (entry === null) return [];
      const { address, prefix } = entry;
      return [{ do: kind === "remove" ? "delete-address" : "add-address", link: link(entry.link), address, prefix }];
    }
    case "route": {
      const entry = change.wanted ?? change.observed;
      if (entry === null) return [];
      const verb = ({ add: "add-route", change: "replace-route", remove: "delete-route" } as const)[kind];
      const { destination, via } = entry;
      return [{ do: verb, destination, via, link: entry.link === null ? null : link(entry.link) }];
    }
    case "neighbour": {
      const entry = change.wanted ?? change.observed;
      if (entry === null) return [];
      const verb = ({ add: "add-neighbour", change: "replace-neighbour", remove: "delete-neighbour" } as const)[kind];
      return [{ ...entry, do: verb, link: link(entry.link) }];
    }
    case "sysctl":
    case "table":
      return [];
  }
}

function linkRequests(session: NetworkSession, { namespace, name, wanted, observed }: LinkChange): NetlinkRequest[] {
  if (wanted === null) return [{ do: "delete-link", link: session.link(namespace, name) }];
  if (observed === null) {
    const { mac, mtu, up } = wanted;
    return [{ do: "add-bridge", link: { ...session.newLink(namespace, name), mac, mtu, up } }];
  }
  const master = wanted.master === null ? null : session.link(namespace, wanted.master);
  const change = {
    ...(wanted.mtu === observed.mtu ? {} : { mtu: wanted.mtu }),
    ...(wanted.mac === null || wanted.mac === observed.mac ? {} : { mac: wanted.mac }),
    ...(wanted.master === observed.master ? {} : { master }),
    ...(wanted.up === observed.up ? {} : { up: wanted.up }),
  };
  if (Object.keys(change).length === 0) return [];
  return [{ do: "change-link", link: session.link(namespace, name), ...change }];
}

/** Both ends of a veth, made from the namespace of the first. */
export function vethRequest(
  session: NetworkSession,
  namespace: NamespaceName,
  link: Link,
  peerNamespace: NamespaceName,
  peer: Link,
): NetlinkRequest {
  return {
    do: "add-veth",
    link: {
      ...session.newLink(namespace, link.name),
      mac: link.mac,
      mtu: link.mtu,
      up: link.up,
      master: link.master === null ? null : session.link(namespace, link.master),
    },
    peer: {
      ...session.newLink(peerNamespace, peer.name),
      mac: peer.mac,
      mtu: peer.mtu,
      namespaceFd: peerNamespace === namespace ? null : session.fd(peerNamespace),
    },
  };
}

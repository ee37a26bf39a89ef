import type { LinkRef, NetlinkRequest } from "../host/netlink-request.ts";
import type { Link } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Change, LinkChange } from "./change.ts";
import type { NetworkSession } from "./session.ts";

/** What the kernel is asked for to carry out one change; of links that are added, bridges and VLANs only. */
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
      return [{ ...entry, do: verb, link: entry.link === null ? null : link(entry.link) }];
    }
    case "neighbour": {
      const entry = change.wanted ?? change.observed;
      if (entry === null) return [];
      const verb = ({ add: "add-neighbour", change: "replace-neighbour", remove: "delete-neighbour" } as const)[kind];
      return [{ ...entry, do: verb, link: link(entry.link) }];
    }
    case "sysctl":
    case "table":
    case "switch":
      return [];
  }
}

function linkRequests(session: NetworkSession, { namespace, name, wanted, observed }: LinkChange): NetlinkRequest[] {
  if (wanted === null) return [{ do: "delete-link", link: session.link(namespace, name) }];
  const master = wanted.master === null ? null : session.link(namespace, wanted.master);
  if (observed === null) {
    const { mac, mtu, up, vlan } = wanted;
    if (vlan !== undefined) {
      const parent = session.link(namespace, vlan.parent);
      return [{ do: "add-vlan", link: { ...session.newLink(namespace, name), mac, mtu, master }, parent, id: vlan.id }];
    }
    return [{ do: "add-bridge", link: { ...session.newLink(namespace, name), mac, mtu, up } }];
  }
  const joins = wanted.master !== observed.master;
  const isolated = wanted.isolated ?? false;
  const change = {
    ...(wanted.mtu === observed.mtu ? {} : { mtu: wanted.mtu }),
    ...(wanted.mac === null || wanted.mac === observed.mac ? {} : { mac: wanted.mac }),
    ...(joins ? { master } : {}),
  };
  const up = wanted.up === observed.up ? {} : { up: wanted.up };
  const link = session.link(namespace, name);
  // A port that has just joined is not isolated, and it must be before the first frame.
  if (master !== null && isolated !== (joins ? false : (observed.isolated ?? false))) {
    return [...changeLink(link, change), { do: "isolate-port", link, isolated }, ...changeLink(link, up)];
  }
  return changeLink(link, { ...change, ...up });
}

type LinkFields = Omit<Extract<NetlinkRequest, { do: "change-link" }>, "do" | "link">;

function changeLink(link: LinkRef, fields: LinkFields): NetlinkRequest[] {
  return Object.keys(fields).length === 0 ? [] : [{ do: "change-link", link, ...fields }];
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
      // An isolated port comes up when it is isolated.
      up: link.up && link.isolated !== true,
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

import { addressBytes, AF_INET, AF_INET6, macBytes } from "./netlink-address.ts";
import { type MessageWriter, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST } from "./netlink-message.ts";
import * as rt from "./netlink-constants.ts";

/** An interface of the socket's namespace: the kernel goes by the index, messages name it. */
export interface LinkRef {
  index: number;
  name: string;
}

/** An interface that is to be made. */
export interface NewLink {
  name: string;
  /** Chosen by the caller, so that later requests of the same batch can speak of it. */
  index: number;
  /** null: the kernel draws one. */
  mac: string | null;
  mtu: number;
  up: boolean;
}

export interface RouteRequest {
  /** CIDR; `default` is IPv4's, `::/0` IPv6's. */
  destination: string;
  via: string | null;
  link: LinkRef | null;
  /** The gateway need not be in a subnet of the link. */
  onLink?: boolean;
  /** Preferred source address. */
  source?: string;
}

/** One change that the kernel is asked for. */
export type NetlinkRequest =
  | {
      do: "add-veth";
      link: NewLink & { master: LinkRef | null };
      /** `namespaceFd`: null is the socket's own namespace. The peer comes down: the kernel refuses to make it up (ENOTCONN). */
      peer: Omit<NewLink, "up"> & { namespaceFd: number | null };
    }
  /** Without STP and forward delay: a port forwards as soon as it is up. Multicast goes to every port. */
  | { do: "add-bridge"; link: NewLink }
  /** An 802.1Q sub-interface. It comes down: it cannot be up before its parent is. */
  | { do: "add-vlan"; link: Omit<NewLink, "up"> & { master: LinkRef | null }; parent: LinkRef; id: number }
  /** Only for a port of a bridge. */
  | { do: "isolate-port"; link: LinkRef; isolated: boolean }
  | { do: "change-link"; link: LinkRef; up?: boolean; mtu?: number; mac?: string; master?: LinkRef | null }
  | { do: "delete-link"; link: LinkRef }
  | { do: "add-address" | "delete-address"; link: LinkRef; address: string; prefix: number }
  | ({ do: "add-route" | "replace-route" | "delete-route" } & RouteRequest)
  | {
      do: "add-neighbour" | "replace-neighbour" | "delete-neighbour";
      link: LinkRef;
      address: string;
      mac: string | null;
      proxy: boolean;
    };

/** Writes one request. `flags` are added to its own. Throws Error when an address is none. */
export function encodeRequest(out: MessageWriter, request: NetlinkRequest, sequence: number, flags = 0): void {
  const begin = (type: number, own = 0) => out.begin(type, NLM_F_REQUEST | own | flags, sequence);
  switch (request.do) {
    case "add-veth":
      begin(rt.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
      encodeVeth(out, request);
      break;
    case "add-bridge":
      begin(rt.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
      encodeBridge(out, request.link);
      break;
    case "add-vlan":
      begin(rt.RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
      encodeVlan(out, request);
      break;
    case "isolate-port":
      begin(rt.RTM_NEWLINK);
      encodeLinkHeader(out, request.link.index, undefined);
      out.nest(rt.IFLA_LINKINFO, () => {
        out.attributeText(rt.IFLA_INFO_SLAVE_KIND, "bridge");
        out.nest(rt.IFLA_INFO_SLAVE_DATA, () => out.attributeU8(rt.IFLA_BRPORT_ISOLATED, Number(request.isolated)));
      });
      break;
    case "change-link":
      begin(rt.RTM_NEWLINK);
      encodeLinkHeader(out, request.link.index, request.up);
      if (request.mac !== undefined) out.attribute(rt.IFLA_ADDRESS, macBytes(request.mac));
      if (request.mtu !== undefined) out.attributeU32(rt.IFLA_MTU, request.mtu);
      if (request.master !== undefined) out.attributeU32(rt.IFLA_MASTER, request.master?.index ?? 0);
      break;
    case "delete-link":
      begin(rt.RTM_DELLINK);
      encodeLinkHeader(out, request.link.index, undefined);
      break;
    case "add-address":
      begin(rt.RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
      encodeAddress(out, request.link.index, request.address, request.prefix, rt.IFA_F_NODAD);
      break;
    case "delete-address":
      begin(rt.RTM_DELADDR);
      encodeAddress(out, request.link.index, request.address, request.prefix, 0);
      break;
    case "add-route":
      begin(rt.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
      encodeRoute(out, request, false);
      break;
    case "replace-route":
      begin(rt.RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
      encodeRoute(out, request, false);
      break;
    case "delete-route":
      begin(rt.RTM_DELROUTE);
      encodeRoute(out, request, true);
      break;
    case "add-neighbour":
      begin(rt.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_EXCL);
      encodeNeighbour(out, request);
      break;
    case "replace-neighbour":
      begin(rt.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
      encodeNeighbour(out, request);
      break;
    case "delete-neighbour":
      begin(rt.RTM_DELNEIGH);
      encodeNeighbour(out, request);
      break;
  }
  out.end();
}

/** `up` undefined: left as it is. */
function encodeLinkHeader(out: MessageWriter, index: number, up: boolean | undefined): void {
  out.u8(0);
  out.u8(0);
  out.u16(0);
  out.u32(index);
  out.u32(up === true ? rt.IFF_UP : 0);
  out.u32(up === undefined ? 0 : rt.IFF_UP);
}

function encodeNewLink(out: MessageWriter, link: Omit<NewLink, "up">, up: boolean | undefined): void {
  encodeLinkHeader(out, link.index, up);
  out.attributeText(rt.IFLA_IFNAME, link.name);
  if (link.mac !== null) out.attribute(rt.IFLA_ADDRESS, macBytes(link.mac));
  out.attributeU32(rt.IFLA_MTU, link.mtu);
}

function encodeVeth(out: MessageWriter, { link, peer }: Extract<NetlinkRequest, { do: "add-veth" }>): void {
  encodeNewLink(out, link, link.up);
  if (link.master !== null) out.attributeU32(rt.IFLA_MASTER, link.master.index);
  encodeOneQueue(out);
  out.nest(rt.IFLA_LINKINFO, () => {
    out.attributeText(rt.IFLA_INFO_KIND, "veth");
    out.nest(rt.IFLA_INFO_DATA, () =>
      out.nest(rt.VETH_INFO_PEER, () => {
        encodeNewLink(out, peer, undefined);
        encodeOneQueue(out);
        if (peer.namespaceFd !== null) out.attributeU32(rt.IFLA_NET_NS_FD, peer.namespaceFd);
      }),
    );
  });
}

/** A veth uses one queue of each kind unless told otherwise, yet the kernel allocates one for every possible CPU. */
function encodeOneQueue(out: MessageWriter): void {
  out.attributeU32(rt.IFLA_NUM_TX_QUEUES, 1);
  out.attributeU32(rt.IFLA_NUM_RX_QUEUES, 1);
}

function encodeBridge(out: MessageWriter, link: NewLink): void {
  encodeNewLink(out, link, link.up);
  out.nest(rt.IFLA_LINKINFO, () => {
    out.attributeText(rt.IFLA_INFO_KIND, "bridge");
    out.nest(rt.IFLA_INFO_DATA, () => {
      out.attributeU32(rt.IFLA_BR_STP_STATE, 0);
      out.attributeU32(rt.IFLA_BR_FORWARD_DELAY, 0);
      out.attributeU8(rt.IFLA_BR_MCAST_SNOOPING, 0);
    });
  });
}

function encodeVlan(out: MessageWriter, { link, parent, id }: Extract<NetlinkRequest, { do: "add-vlan" }>): void {
  encodeNewLink(out, link, undefined);
  out.attributeU32(rt.IFLA_LINK, parent.index);
  if (link.master !== null) out.attributeU32(rt.IFLA_MASTER, link.master.index);
  out.nest(rt.IFLA_LINKINFO, () => {
    out.attributeText(rt.IFLA_INFO_KIND, "vlan");
    out.nest(rt.IFLA_INFO_DATA, () => out.attribute(rt.IFLA_VLAN_ID, new Uint8Array(Uint16Array.of(id).buffer)));
  });
}

/** The flags are IPv6's. */
function encodeAddress(out: MessageWriter, index: number, address: string, prefix: number, flags: number): void {
  const { family, bytes } = addressBytes(address);
  out.u8(family);
  out.u8(prefix);
  out.u8(family === AF_INET6 ? flags : 0);
  out.u8(rt.RT_SCOPE_UNIVERSE);
  out.u32(index);
  out.attribute(rt.IFA_LOCAL, bytes);
  out.attribute(rt.IFA_ADDRESS, bytes);
}

/** A deletion matches any protocol and scope. */
function encodeRoute(
  out: MessageWriter,
  { destination, via, link, onLink, source }: RouteRequest,
  deletion: boolean,
): void {
  const gateway = via === null ? null : addressBytes(via);
  const [network, length] = destination.split("/");
  const isDefault = destination === "default" || destination === "::/0";
  const target = isDefault || network === undefined ? null : addressBytes(network);
  const scope = via === null ? rt.RT_SCOPE_LINK : rt.RT_SCOPE_UNIVERSE;
  out.u8(target?.family ?? (destination === "::/0" ? AF_INET6 : AF_INET));
  out.u8(target === null ? 0 : length === undefined ? target.bytes.length * 8 : Number(length));
  out.u8(0);
  out.u8(0);
  out.u8(rt.RT_TABLE_MAIN);
  out.u8(deletion ? 0 : rt.RTPROT_STATIC);
  out.u8(deletion ? rt.RT_SCOPE_NOWHERE : scope);
  out.u8(deletion ? 0 : rt.RTN_UNICAST);
  out.u32(onLink === true ? rt.RTNH_F_ONLINK : 0);
  if (target !== null) out.attribute(rt.RTA_DST, target.bytes);
  if (gateway !== null) out.attribute(rt.RTA_GATEWAY, gateway.bytes);
  if (link !== null) out.attributeU32(rt.RTA_OIF, link.index);
  if (source !== undefined && !deletion) out.attribute(rt.RTA_PREFSRC, addressBytes(source).bytes);
}

function encodeNeighbour(
  out: MessageWriter,
  { link, address, mac, proxy }: { link: LinkRef; address: string; mac: string | null; proxy: boolean },
): void {
  const { family, bytes } = addressBytes(address);
  out.u8(family);
  out.u8(0);
  out.u16(0);
  out.u32(link.index);
  out.u16(rt.NUD_PERMANENT);
  out.u8(proxy ? rt.NTF_PROXY : 0);
  out.u8(0);
  out.attribute(rt.NDA_DST, bytes);
  if (mac !== null) out.attribute(rt.NDA_LLADDR, macBytes(mac));
}

/** What a request would do, for messages: `adding veth vif1.0`. */
export function describeRequest(request: NetlinkRequest): string {
  switch (request.do) {
    case "add-veth":
      return `adding veth ${request.link.name} with its other end ${request.peer.name}`;
    case "add-bridge":
      return `adding bridge ${request.link.name}`;
    case "add-vlan":
      return `adding ${request.link.name} for VLAN ${request.id} of ${request.parent.name}`;
    case "isolate-port":
      return `setting bridge port ${request.link.name} ${request.isolated ? "isolated" : "not isolated"}`;
    case "change-link": {
      const { up, mtu, mac, master } = request;
      const parts = [
        ...(up === undefined ? [] : [up ? "up" : "down"]),
        ...(mtu === undefined ? [] : [`mtu ${mtu}`]),
        ...(mac === undefined ? [] : [`mac ${mac}`]),
        ...(master === undefined ? [] : [master === null ? "no master" : `master ${master.name}`]),
      ];
      return `setting ${request.link.name} to ${parts.join(", ")}`;
    }
    case "delete-link":
      return `deleting link ${request.link.name}`;
    case "add-address":
      return `adding address ${request.address}/${request.prefix} to ${request.link.name}`;
    case "delete-address":
      return `deleting address ${request.address}/${request.prefix} from ${request.link.name}`;
    case "add-route":
    case "replace-route":
    case "delete-route": {
      const verb = { "add-route": "adding", "replace-route": "replacing", "delete-route": "deleting" }[request.do];
      const via = request.via === null ? "" : ` via ${request.via}`;
      return `${verb} route ${request.destination}${via}${request.link === null ? "" : ` on ${request.link.name}`}`;
    }
    case "add-neighbour":
    case "replace-neighbour":
    case "delete-neighbour": {
      const verb = { "add-neighbour": "adding", "replace-neighbour": "replacing", "delete-neighbour": "deleting" }[
        request.do
      ];
      return `${verb} ${request.proxy ? "proxy " : ""}neighbour ${request.address} on ${request.link.name}`;
    }
  }
}

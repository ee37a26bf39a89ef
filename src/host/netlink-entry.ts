import { addressText, AF_INET, AF_INET6, macText } from "./netlink-address.ts";
import { readAttributes, readText } from "./netlink-message.ts";
import * as rt from "./netlink-constants.ts";

/** What the kernel says about one interface. */
export interface LinkEntry {
  index: number;
  name: string;
  /** `veth`, `bridge`, …; null: no kind of its own, such as the loopback or a card. */
  kind: string | null;
  loopback: boolean;
  up: boolean;
  mtu: number;
  mac: string | null;
  masterIndex: number | null;
  /** A veth's other end: its index in its own namespace. */
  peerIndex: number | null;
  /** Id, in the socket's namespace, of the namespace that the other end is in; null: the same one. */
  peerNamespaceId: number | null;
}

export interface AddressEntry {
  linkIndex: number;
  address: string;
  prefix: number;
  scope: number;
  permanent: boolean;
}

export interface RouteEntry {
  /** CIDR or `default`. */
  destination: string;
  family: number;
  via: string | null;
  linkIndex: number | null;
  table: number;
  protocol: number;
  type: number;
}

export interface NeighbourEntry {
  linkIndex: number;
  address: string;
  mac: string | null;
  proxy: boolean;
  permanent: boolean;
}

function u32(attribute: Buffer | undefined): number | null {
  return attribute === undefined ? null : attribute.readUInt32LE(0);
}

/** Payload of an RTM_NEWLINK. */
export function decodeLink(payload: Buffer): LinkEntry {
  const attributes = readAttributes(payload, 16);
  const info = attributes.get(rt.IFLA_LINKINFO);
  const kind = info === undefined ? undefined : readAttributes(info).get(rt.IFLA_INFO_KIND);
  const name = attributes.get(rt.IFLA_IFNAME);
  const mac = attributes.get(rt.IFLA_ADDRESS);
  const loopback = payload.readUInt16LE(2) === rt.ARPHRD_LOOPBACK;
  return {
    index: payload.readInt32LE(4),
    name: name === undefined ? "" : readText(name),
    kind: kind === undefined ? null : readText(kind),
    loopback,
    up: (payload.readUInt32LE(8) & rt.IFF_UP) !== 0,
    mtu: u32(attributes.get(rt.IFLA_MTU)) ?? 0,
    mac: mac === undefined || loopback ? null : macText(mac),
    masterIndex: u32(attributes.get(rt.IFLA_MASTER)),
    peerIndex: u32(attributes.get(rt.IFLA_LINK)),
    peerNamespaceId: u32(attributes.get(rt.IFLA_LINK_NETNSID)),
  };
}

/** Payload of an RTM_NEWADDR; null: neither IPv4 nor IPv6. */
export function decodeAddress(payload: Buffer): AddressEntry | null {
  const attributes = readAttributes(payload, 8);
  // On a point-to-point link IFA_ADDRESS is the other side's; IPv6 has IFA_LOCAL only there.
  const address = attributes.get(rt.IFA_LOCAL) ?? attributes.get(rt.IFA_ADDRESS);
  if (address === undefined || !isInternet(payload.readUInt8(0))) return null;
  const flags = u32(attributes.get(rt.IFA_FLAGS)) ?? payload.readUInt8(2);
  return {
    linkIndex: payload.readUInt32LE(4),
    address: addressText(address),
    prefix: payload.readUInt8(1),
    scope: payload.readUInt8(3),
    permanent: (flags & rt.IFA_F_PERMANENT) !== 0,
  };
}

/** Payload of an RTM_NEWROUTE; null: neither IPv4 nor IPv6. */
export function decodeRoute(payload: Buffer): RouteEntry | null {
  const family = payload.readUInt8(0);
  if (!isInternet(family)) return null;
  const attributes = readAttributes(payload, 12);
  const target = attributes.get(rt.RTA_DST);
  const gateway = attributes.get(rt.RTA_GATEWAY);
  return {
    destination: target === undefined ? "default" : `${addressText(target)}/${payload.readUInt8(1)}`,
    family,
    via: gateway === undefined ? null : addressText(gateway),
    linkIndex: u32(attributes.get(rt.RTA_OIF)),
    table: u32(attributes.get(rt.RTA_TABLE)) ?? payload.readUInt8(4),
    protocol: payload.readUInt8(5),
    type: payload.readUInt8(7),
  };
}

/** Payload of an RTM_NEWNEIGH; null: neither IPv4 nor IPv6. */
export function decodeNeighbour(payload: Buffer): NeighbourEntry | null {
  const attributes = readAttributes(payload, 12);
  const address = attributes.get(rt.NDA_DST);
  if (address === undefined || !isInternet(payload.readUInt8(0))) return null;
  const mac = attributes.get(rt.NDA_LLADDR);
  const proxy = (payload.readUInt8(10) & rt.NTF_PROXY) !== 0;
  return {
    linkIndex: payload.readUInt32LE(4),
    address: addressText(address),
    mac: mac === undefined || proxy ? null : macText(mac),
    proxy,
    permanent: proxy || (payload.readUInt16LE(8) & rt.NUD_PERMANENT) !== 0,
  };
}

/** Payload of the answer to RTM_GETNSID; null: the namespace has no id yet, so nothing here has an end in it. */
export function decodeNamespaceId(payload: Buffer): number | null {
  const id = readAttributes(payload, 4).get(rt.NETNSA_NSID)?.readInt32LE(0) ?? -1;
  return id < 0 ? null : id;
}

function isInternet(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}

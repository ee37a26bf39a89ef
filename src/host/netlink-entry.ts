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
  /** An 802.1Q sub-interface's tag; its parent is what `peerIndex` says. */
  vlanId: number | null;
  /** Port of a bridge that reaches no other isolated port. */
  isolated: boolean;
  /** What else of it decides over frames, in iproute2's words: `xdp`, `vlan_filtering 1`, `learning off`. */
  peculiar: string[];
  /** Kind of its root qdisc: `noqueue`, `tbf`, … */
  qdisc: string | null;
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
  onLink: boolean;
  /** Preferred source address. */
  source: string | null;
  /** What else it has: `multipath`, `encap`, `metrics`, `tos`, `via` (a gateway of another family). */
  peculiar: string[];
}

/** A rule of policy routing. */
export interface RuleEntry {
  family: number;
  priority: number;
  table: number;
  /** Applies to every packet, and does nothing but say where to look. */
  plain: boolean;
  source: string | null;
  destination: string | null;
}

export interface QdiscEntry {
  linkIndex: number;
  kind: string;
  /** Of a TBF. */
  rateBytesPerSecond: number | null;
  /** Of netem. */
  delayNs: number | null;
  /** Of netem, at random; 1 is everything. */
  loss: number | null;
}

export interface NeighbourEntry {
  linkIndex: number;
  address: string;
  mac: string | null;
  proxy: boolean;
  permanent: boolean;
  /** Learned, and not found wrong. */
  usable: boolean;
}

function u32(attribute: Buffer | undefined): number | null {
  return attribute === undefined ? null : attribute.readUInt32LE(0);
}

/** Payload of an RTM_NEWLINK. */
export function decodeLink(payload: Buffer): LinkEntry {
  const attributes = readAttributes(payload, 16);
  const info = attributes.get(rt.IFLA_LINKINFO);
  const infos = info === undefined ? undefined : readAttributes(info);
  const kindText = infos?.get(rt.IFLA_INFO_KIND);
  const kind = kindText === undefined ? null : readText(kindText);
  const data = nested(infos?.get(rt.IFLA_INFO_DATA));
  const slaveKind = infos?.get(rt.IFLA_INFO_SLAVE_KIND);
  const isPort = slaveKind !== undefined && readText(slaveKind) === "bridge";
  const port = nested(isPort ? infos?.get(rt.IFLA_INFO_SLAVE_DATA) : undefined);
  const name = attributes.get(rt.IFLA_IFNAME);
  const mac = attributes.get(rt.IFLA_ADDRESS);
  const qdisc = attributes.get(rt.IFLA_QDISC);
  const loopback = payload.readUInt16LE(2) === rt.ARPHRD_LOOPBACK;
  return {
    index: payload.readInt32LE(4),
    name: name === undefined ? "" : readText(name),
    kind,
    loopback,
    up: (payload.readUInt32LE(8) & rt.IFF_UP) !== 0,
    mtu: u32(attributes.get(rt.IFLA_MTU)) ?? 0,
    mac: mac === undefined || loopback ? null : macText(mac),
    masterIndex: u32(attributes.get(rt.IFLA_MASTER)),
    peerIndex: u32(attributes.get(rt.IFLA_LINK)),
    peerNamespaceId: u32(attributes.get(rt.IFLA_LINK_NETNSID)),
    vlanId: kind === "vlan" ? (data.get(rt.IFLA_VLAN_ID)?.readUInt16LE(0) ?? null) : null,
    isolated: u8(port.get(rt.IFLA_BRPORT_ISOLATED)) === 1,
    peculiar: [
      ...(u8(nested(attributes.get(rt.IFLA_XDP)).get(rt.IFLA_XDP_ATTACHED)) ? ["xdp"] : []),
      ...(kind === "bridge" && u8(data.get(rt.IFLA_BR_VLAN_FILTERING)) ? ["vlan_filtering 1"] : []),
      ...(kind === "bridge" && u32(data.get(rt.IFLA_BR_STP_STATE) ?? Buffer.alloc(4)) ? ["stp_state 1"] : []),
      ...(u8(port.get(rt.IFLA_BRPORT_LEARNING)) === 0 ? ["learning off"] : []),
      ...(u8(port.get(rt.IFLA_BRPORT_UNICAST_FLOOD)) === 0 ? ["flood off"] : []),
      ...(u8(port.get(rt.IFLA_BRPORT_BCAST_FLOOD)) === 0 ? ["bcast_flood off"] : []),
      ...(u8(port.get(rt.IFLA_BRPORT_LOCKED)) ? ["locked on"] : []),
    ],
    qdisc: qdisc === undefined ? null : readText(qdisc),
  };
}

function nested(attribute: Buffer | undefined): Map<number, Buffer> {
  return attribute === undefined ? new Map<number, Buffer>() : readAttributes(attribute);
}

function u8(attribute: Buffer | undefined): number | undefined {
  return attribute?.readUInt8(0);
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
  const flags = payload.readUInt32LE(8);
  // Learned from ICMP for one destination (a path's MTU, a redirect): dumped with the routes, and no configuration.
  if (!isInternet(family) || (flags & rt.RTM_F_CLONED) !== 0) return null;
  const attributes = readAttributes(payload, 12);
  const target = attributes.get(rt.RTA_DST);
  const gateway = attributes.get(rt.RTA_GATEWAY);
  const source = attributes.get(rt.RTA_PREFSRC);
  const everything = family === AF_INET6 ? "::/0" : "default";
  return {
    destination: target === undefined ? everything : `${addressText(target)}/${payload.readUInt8(1)}`,
    family,
    via: gateway === undefined ? null : addressText(gateway),
    linkIndex: u32(attributes.get(rt.RTA_OIF)),
    table: u32(attributes.get(rt.RTA_TABLE)) ?? payload.readUInt8(4),
    protocol: payload.readUInt8(5),
    type: payload.readUInt8(7),
    onLink: (flags & rt.RTNH_F_ONLINK) !== 0,
    source: source === undefined ? null : addressText(source),
    peculiar: [
      ...(attributes.has(rt.RTA_MULTIPATH) ? ["multipath"] : []),
      ...(attributes.has(rt.RTA_ENCAP) ? ["encap"] : []),
      ...(attributes.has(rt.RTA_METRICS) ? ["metrics"] : []),
      ...(attributes.has(rt.RTA_VIA) ? ["via"] : []),
      ...(payload.readUInt8(3) === 0 ? [] : ["tos"]),
    ],
  };
}

/** Payload of an RTM_NEWNEIGH; null: neither IPv4 nor IPv6. */
export function decodeNeighbour(payload: Buffer): NeighbourEntry | null {
  const attributes = readAttributes(payload, 12);
  const address = attributes.get(rt.NDA_DST);
  if (address === undefined || !isInternet(payload.readUInt8(0))) return null;
  const mac = attributes.get(rt.NDA_LLADDR);
  const proxy = (payload.readUInt8(10) & rt.NTF_PROXY) !== 0;
  const state = payload.readUInt16LE(8);
  return {
    linkIndex: payload.readUInt32LE(4),
    address: addressText(address),
    mac: mac === undefined || proxy ? null : macText(mac),
    proxy,
    permanent: proxy || (state & rt.NUD_PERMANENT) !== 0,
    usable: !proxy && (state & rt.NUD_LEARNED) !== 0,
  };
}

/** What a rule that looks into a table for every packet may consist of; FRA_PROTOCOL and the suppressors' absence say nothing. */
const PLAIN_RULE = new Set([rt.FRA_TABLE, rt.FRA_PRIORITY, rt.FRA_SUPPRESS_PREFIXLEN, rt.FRA_PROTOCOL]);

/** Payload of an RTM_NEWRULE; null: neither IPv4 nor IPv6. */
export function decodeRule(payload: Buffer): RuleEntry | null {
  const family = payload.readUInt8(0);
  if (!isInternet(family)) return null;
  const attributes = readAttributes(payload, 12);
  const network = (type: number, length: number): string | null => {
    const address = attributes.get(type);
    return address === undefined ? null : `${addressText(address)}/${length}`;
  };
  const suppress = attributes.get(rt.FRA_SUPPRESS_PREFIXLEN)?.readInt32LE(0) ?? -1;
  return {
    family,
    priority: u32(attributes.get(rt.FRA_PRIORITY)) ?? 0,
    table: u32(attributes.get(rt.FRA_TABLE)) ?? payload.readUInt8(4),
    plain:
      payload.readUInt8(7) === rt.FR_ACT_TO_TBL &&
      payload.readUInt8(3) === 0 &&
      payload.readUInt32LE(8) === 0 &&
      suppress === -1 &&
      [...attributes.keys()].every((type) => PLAIN_RULE.has(type)),
    source: network(rt.FRA_SRC, payload.readUInt8(2)),
    destination: network(rt.FRA_DST, payload.readUInt8(1)),
  };
}

/** Bytes of tc_netem_qopt, which stands before netem's attributes. */
const NETEM_BYTES = 24;
const LOSS_MAX = 2 ** 32 - 1;

/** Payload of an RTM_NEWQDISC. */
export function decodeQdisc(payload: Buffer): QdiscEntry {
  const attributes = readAttributes(payload, 20);
  const kindText = attributes.get(rt.TCA_KIND);
  const kind = kindText === undefined ? "" : readText(kindText);
  const options = attributes.get(rt.TCA_OPTIONS);
  const entry = { linkIndex: payload.readInt32LE(4), kind, rateBytesPerSecond: null, delayNs: null, loss: null };
  if (options === undefined) return entry;
  if (kind === "tbf") {
    const parts = readAttributes(options);
    // tc_tbf_qopt begins with the tc_ratespec; rates from 2^32 on are told apart.
    const rate = parts.get(rt.TCA_TBF_RATE64)?.readBigUInt64LE(0) ?? parts.get(rt.TCA_TBF_PARMS)?.readUInt32LE(8);
    return { ...entry, rateBytesPerSecond: rate === undefined ? null : Number(rate) };
  }
  if (kind === "netem" && options.length >= NETEM_BYTES) {
    const delayNs = readAttributes(options, NETEM_BYTES).get(rt.TCA_NETEM_LATENCY64)?.readBigInt64LE(0) ?? 0n;
    return { ...entry, delayNs: Number(delayNs), loss: options.readUInt32LE(8) / LOSS_MAX };
  }
  return entry;
}

/** Payload of the answer to RTM_GETNSID; null: the namespace has no id yet, so nothing here has an end in it. */
export function decodeNamespaceId(payload: Buffer): number | null {
  const id = readAttributes(payload, 4).get(rt.NETNSA_NSID)?.readInt32LE(0) ?? -1;
  return id < 0 ? null : id;
}

function isInternet(family: number): boolean {
  return family === AF_INET || family === AF_INET6;
}

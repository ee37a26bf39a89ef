import type { Connection } from "./connection.ts";
import type { CompiledLink } from "./compiled-network.ts";
import type { Ip } from "./ip-address.ts";

/** An Ethernet frame on its way. */
export interface Frame {
  source: string;
  destination: string;
  /** Id of its 802.1Q tag; null: untagged. */
  vlan: number | null;
  packet: IpPacket | ArpPacket;
  /** Bridges and switches passed since the last sender, against loops. */
  crossed: number;
  /** Bridge-netfilter has shown it to the IP prerouting chains already (br_netfilter_hooks.c, ip_sabotage_in). */
  prerouted: boolean;
}

export interface IpPacket {
  kind: "ip";
  source: Ip;
  destination: Ip;
  protocol: "icmp" | "icmpv6" | "tcp" | "udp";
  /** Of ICMP; else 0. */
  icmpType: number;
  /** Of TCP and UDP; else 0. */
  sourcePort: number;
  destinationPort: number;
  /** SYN, SYN and ACK; 0 if not TCP. */
  tcpFlags: number;
  ttl: number;
  /** Of the whole IP packet, or of its largest fragment. */
  bytes: number;
  dontFragment: boolean;
  mark: number;
  /** It is the answer to the question's packet. */
  isAnswer: boolean;
  /** What conntrack knows of it in the namespace that it is in. */
  tracked: { connection: Connection; inReply: boolean; state: "new" | "established" } | "untracked" | null;
  /** Neighbour solicitation or advertisement. */
  discovery: Discovery | null;
}

export interface ArpPacket {
  kind: "arp";
  operation: "request" | "reply";
  senderMac: string;
  sender: Ip;
  targetMac: string | null;
  target: Ip;
  exchange: Exchange;
}

export interface Discovery {
  target: Ip;
  /** Its source or target link-layer address option. */
  mac: string;
  exchange: Exchange;
}

/** One question for a MAC and what came of it. */
export interface Exchange {
  asker: CompiledLink;
  target: Ip;
  answers: { mac: string; link: CompiledLink }[];
  /** Neighbour entries that those who were asked made of the one who asks. */
  learned: { link: CompiledLink; address: Ip; mac: string }[];
}

export const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";
/** Of loopback interfaces. */
export const NO_MAC = "00:00:00:00:00:00";

export const ICMP_TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
export const NEIGHBOUR_SOLICIT = 135;
export const NEIGHBOUR_ADVERT = 136;
export const TCP_FLAGS = { syn: 2, ack: 16 } as const;

/** A copy that goes its own way. Written out, because this is where walks spend their time. */
export function copyFrame(frame: Frame, packet: Frame["packet"]): Frame {
  const { source, destination, vlan, crossed, prerouted } = frame;
  return { source, destination, vlan, packet, crossed, prerouted };
}

export function copyPacket(packet: IpPacket): IpPacket {
  return {
    kind: "ip",
    source: packet.source,
    destination: packet.destination,
    protocol: packet.protocol,
    icmpType: packet.icmpType,
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
    tcpFlags: packet.tcpFlags,
    ttl: packet.ttl,
    bytes: packet.bytes,
    dontFragment: packet.dontFragment,
    mark: packet.mark,
    isAnswer: packet.isAnswer,
    tracked: packet.tracked,
    discovery: packet.discovery,
  };
}

/** Broadcast or multicast: the lowest bit of the first byte. */
export function isGroupMac(mac: string): boolean {
  return (Number.parseInt(mac.charAt(1), 16) & 1) === 1;
}

/** Whose MAC a frame asks for; null: it asks for none. */
export function askedTarget({ packet }: Frame): Ip | null {
  if (packet.kind === "arp") return packet.operation === "request" ? packet.target : null;
  return packet.discovery !== null && packet.icmpType === NEIGHBOUR_SOLICIT ? packet.discovery.target : null;
}

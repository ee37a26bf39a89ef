import ipaddr from "ipaddr.js";

/** An Ethernet frame, decoded as far as Cloison looks into it. */
export interface Frame {
  source: string;
  destination: string;
  /** Ids of the 802.1Q tags that stand in the bytes, the outermost first. */
  vlans: number[];
  etherType: number;
  packet: ArpPacket | IpPacket | null;
}

export interface ArpPacket {
  kind: "arp";
  /** 1: request, 2: reply. */
  operation: number;
  senderMac: string;
  senderAddress: string;
  targetMac: string;
  targetAddress: string;
}

export interface IpPacket {
  kind: "ip";
  version: 4 | 6;
  source: string;
  destination: string;
  /** TTL or hop limit. */
  ttl: number;
  /** Of the payload; IPv6 extension headers are passed over. */
  protocol: number;
  /** Bytes of the whole packet, as its header says. */
  length: number;
  dontFragment: boolean;
  /** In bytes; a fragment behind the first has no readable payload. */
  fragmentOffset: number;
  payload: IcmpMessage | TcpSegment | UdpDatagram | null;
}

export interface IcmpMessage {
  kind: "icmp";
  type: number;
  code: number;
  /** Bytes 4 to 8 of the header; of an echo: identifier and sequence number. */
  identifier: number;
  sequence: number;
  /** What follows the 8 bytes of the header. */
  body: Uint8Array;
  /** Of an error: the packet that it is about. */
  quoted: IpPacket | null;
  /** Of a neighbour solicitation or advertisement. */
  target: string | null;
}

export interface TcpSegment {
  kind: "tcp";
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  /** null: cut off before it, as a quoted packet may be. */
  acknowledgement: number | null;
  flags: number;
}

export interface UdpDatagram {
  kind: "udp";
  sourcePort: number;
  destinationPort: number;
  data: Uint8Array;
}

export const EtherType = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, serviceVlan: 0x88a8, ipv6: 0x86dd } as const;
export const IpProtocol = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

const ETHERNET_BYTES = 14;
const TAG_BYTES = 4;
const ARP_BYTES = 28;
const IPV6_BYTES = 40;
/** RFC 792: a header and 8 bytes of what it carried are quoted at least. */
const QUOTED_BYTES = 8;
/** Hop-by-hop options, routing, fragment, destination options (RFC 8200). */
const EXTENSIONS = new Set([0, 43, 44, 60]);
const FRAGMENT = 44;
/** Errors that quote a packet: ICMP unreachable, source quench, redirect, time exceeded, parameter problem; ICMPv6 1 to 4. */
const QUOTING = new Set([3, 4, 5, 11, 12]);
const NEIGHBOUR_SOLICITATION = 135;
const NEIGHBOUR_ADVERTISEMENT = 136;

/** Decodes a frame that may be cut off anywhere; null: not even an Ethernet header. */
export function decodeFrame(bytes: Uint8Array): Frame | null {
  if (bytes.length < ETHERNET_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const vlans: number[] = [];
  let etherType = view.getUint16(12);
  let at = ETHERNET_BYTES;
  while (isTag(etherType) && at + TAG_BYTES <= bytes.length) {
    vlans.push(view.getUint16(at) & 0xfff);
    etherType = view.getUint16(at + 2);
    at += TAG_BYTES;
  }
  return {
    destination: macAt(bytes, 0),
    source: macAt(bytes, 6),
    vlans,
    etherType,
    packet: decodePacket(etherType, bytes.subarray(at)),
  };
}

/** Whether the EtherType begins a VLAN tag. */
export function isTag(etherType: number): boolean {
  return etherType === EtherType.vlan || etherType === EtherType.serviceVlan;
}

function decodePacket(etherType: number, bytes: Uint8Array): Frame["packet"] {
  if (etherType === EtherType.arp) return decodeArp(bytes);
  if (etherType === EtherType.ipv4 || etherType === EtherType.ipv6) return decodeIp(bytes);
  return null;
}

/** null: not of IPv4 over Ethernet. */
function decodeArp(bytes: Uint8Array): ArpPacket | null {
  if (bytes.length < ARP_BYTES || bytes[4] !== 6 || bytes[5] !== 4) return null;
  return {
    kind: "arp",
    operation: ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0),
    senderMac: macAt(bytes, 8),
    senderAddress: ipv4At(bytes, 14),
    targetMac: macAt(bytes, 18),
    targetAddress: ipv4At(bytes, 24),
  };
}

/** An IPv4 or IPv6 packet; null: none, or cut off within its header. */
export function decodeIp(bytes: Uint8Array): IpPacket | null {
  const version = (bytes[0] ?? 0) >>> 4;
  if (version === 4) return decodeIpv4(bytes);
  return version === 6 ? decodeIpv6(bytes) : null;
}

function decodeIpv4(bytes: Uint8Array): IpPacket | null {
  const headerBytes = ((bytes[0] ?? 0) & 15) * 4;
  if (headerBytes < 20 || bytes.length < headerBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fragment = view.getUint16(6);
  const length = view.getUint16(2);
  const fragmentOffset = (fragment & 0x1fff) * 8;
  const protocol = view.getUint8(9);
  return {
    kind: "ip",
    version: 4,
    source: ipv4At(bytes, 12),
    destination: ipv4At(bytes, 16),
    ttl: view.getUint8(8),
    protocol,
    length,
    dontFragment: (fragment & 0x4000) !== 0,
    fragmentOffset,
    payload:
      fragmentOffset === 0 ? decodePayload(protocol, bytes.subarray(headerBytes, Math.max(length, headerBytes))) : null,
  };
}

function decodeIpv6(bytes: Uint8Array): IpPacket | null {
  if (bytes.length < IPV6_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let protocol = view.getUint8(6);
  let at = IPV6_BYTES;
  let fragmentOffset = 0;
  while (EXTENSIONS.has(protocol) && at + 8 <= bytes.length) {
    if (protocol === FRAGMENT) fragmentOffset = view.getUint16(at + 2) & 0xfff8;
    const next = view.getUint8(at);
    at += protocol === FRAGMENT ? 8 : (view.getUint8(at + 1) + 1) * 8;
    protocol = next;
  }
  const length = IPV6_BYTES + view.getUint16(4);
  return {
    kind: "ip",
    version: 6,
    source: ipv6At(bytes, 8),
    destination: ipv6At(bytes, 24),
    ttl: view.getUint8(7),
    protocol,
    length,
    dontFragment: true,
    fragmentOffset,
    payload: fragmentOffset === 0 ? decodePayload(protocol, bytes.subarray(at, Math.max(length, at))) : null,
  };
}

function decodePayload(protocol: number, bytes: Uint8Array): IpPacket["payload"] {
  if (bytes.length < QUOTED_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (protocol) {
    case IpProtocol.icmp:
    case IpProtocol.icmpv6:
      return decodeIcmp(protocol, bytes, view);
    case IpProtocol.tcp:
      return {
        kind: "tcp",
        sourcePort: view.getUint16(0),
        destinationPort: view.getUint16(2),
        sequence: view.getUint32(4),
        acknowledgement: bytes.length >= 12 ? view.getUint32(8) : null,
        flags: bytes.length >= 14 ? view.getUint8(13) : 0,
      };
    case IpProtocol.udp:
      return {
        kind: "udp",
        sourcePort: view.getUint16(0),
        destinationPort: view.getUint16(2),
        data: bytes.subarray(8, Math.max(8, view.getUint16(4))),
      };
    default:
      return null;
  }
}

/** A message of ICMP or ICMPv6, by its number as a protocol of IP; at least its 8 bytes of header, which `view` is on. */
export function decodeIcmp(protocol: number, bytes: Uint8Array, view: DataView): IcmpMessage {
  const type = view.getUint8(0);
  const body = bytes.subarray(8);
  const quotes = protocol === IpProtocol.icmp ? QUOTING.has(type) : type >= 1 && type <= 4;
  const isNeighbour =
    protocol === IpProtocol.icmpv6 && (type === NEIGHBOUR_SOLICITATION || type === NEIGHBOUR_ADVERTISEMENT);
  return {
    kind: "icmp",
    type,
    code: view.getUint8(1),
    identifier: view.getUint16(4),
    sequence: view.getUint16(6),
    body,
    quoted: quotes ? decodeIp(body) : null,
    target: isNeighbour && body.length >= 16 ? ipv6At(body, 0) : null,
  };
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function macAt(bytes: Uint8Array, at: number): string {
  const hex = (i: number): string => HEX[bytes[at + i] ?? 0] ?? "";
  return `${hex(0)}:${hex(1)}:${hex(2)}:${hex(3)}:${hex(4)}:${hex(5)}`;
}

function ipv4At(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function ipv6At(bytes: Uint8Array, at: number): string {
  return ipaddr.fromByteArray([...bytes.subarray(at, at + 16)]).toString();
}

import {
  decodeFrame,
  TcpFlag,
  type Frame,
  type IcmpMessage,
  type IpPacket,
  type TcpSegment,
  type UdpDatagram,
} from "../model/frame.ts";
import { dhcpText } from "./frame-dhcp.ts";
import { dnsText } from "./frame-dns.ts";

const DNS = [53, 5353];
const DHCP = [67, 68];

/** One frame in one line: time, MACs, VLAN, addresses and ports, and what it says. `length`: bytes on the wire. */
export function frameLine(bytes: Uint8Array, { timeNs, length }: { timeNs: bigint; length: number }): string {
  const frame = decodeFrame(bytes);
  const time = timeText(timeNs);
  if (frame === null) return `${time} ${length} bytes, too short for Ethernet`;
  const vlans = frame.vlans.map((id) => ` vlan ${id}`).join("");
  return `${time} ${frame.source} → ${frame.destination}${vlans} ${contentText(frame, length)}`;
}

/** Time of the day, UTC, with µs. */
function timeText(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(11, 19);
  return `${seconds}.${String((timeNs / 1000n) % 1_000_000n).padStart(6, "0")}`;
}

function contentText({ packet, etherType }: Frame, length: number): string {
  if (packet === null) return `type 0x${etherType.toString(16).padStart(4, "0")}, ${length} bytes`;
  if (packet.kind === "ip") return ipText(packet);
  const { operation, senderAddress, senderMac, targetAddress } = packet;
  if (operation === 1) return `ARP who has ${targetAddress}? tell ${senderAddress}`;
  if (operation === 2) return `ARP ${senderAddress} is at ${senderMac}`;
  return `ARP operation ${operation}`;
}

function ipText(packet: IpPacket): string {
  const { source, destination, payload, version, protocol, length, fragmentOffset } = packet;
  const ttl = version === 4 ? `ttl ${packet.ttl}` : `hlim ${packet.ttl}`;
  const df = version === 4 && packet.dontFragment ? ", DF" : "";
  const end = `(${ttl}, ${length} bytes${df})`;
  if (payload === null) {
    const what = fragmentOffset > 0 ? `fragment at ${fragmentOffset}` : `protocol ${protocol}`;
    return `${source} → ${destination} ${what} ${end}`;
  }
  if (payload.kind === "icmp") return `${source} → ${destination} ${icmpText(payload, version)} ${end}`;
  const ports = `${withPort(source, payload.sourcePort)} → ${withPort(destination, payload.destinationPort)}`;
  return `${ports} ${payload.kind === "tcp" ? tcpText(payload) : udpText(payload)} ${end}`;
}

function withPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function tcpText({ flags, sequence, acknowledgement }: TcpSegment): string {
  const names = Object.entries(TcpFlag).filter(([, bit]) => (flags & bit) !== 0);
  const ack = (flags & TcpFlag.ack) === 0 || acknowledgement === null ? "" : ` ack ${acknowledgement}`;
  return `TCP ${names.map(([name]) => name.toUpperCase()).join(",") || "no flags"} seq ${sequence}${ack}`;
}

function udpText({ sourcePort, destinationPort, data }: UdpDatagram): string {
  const ports = [sourcePort, destinationPort];
  const told = ports.some((port) => DNS.includes(port))
    ? dnsText(data)
    : ports.some((port) => DHCP.includes(port))
      ? dhcpText(data)
      : null;
  return told ?? `UDP ${data.length} bytes of data`;
}

const ICMP: Readonly<Record<number, string>> = {
  0: "echo reply",
  3: "unreachable",
  4: "source quench",
  5: "redirect",
  8: "echo request",
  11: "time exceeded",
  12: "parameter problem",
};
const ICMPV6: Readonly<Record<number, string>> = {
  1: "unreachable",
  2: "packet too big",
  3: "time exceeded",
  4: "parameter problem",
  128: "echo request",
  129: "echo reply",
  133: "router solicitation",
  134: "router advertisement",
  135: "neighbour solicitation",
  136: "neighbour advertisement",
};
/** RFC 792, 1122 and 1812; RFC 4443. */
const UNREACHABLE: Readonly<Record<number, string>> = {
  0: "net",
  1: "host",
  2: "protocol",
  3: "port",
  4: "fragmentation needed",
  9: "net prohibited",
  10: "host prohibited",
  13: "prohibited",
};
const UNREACHABLE_V6: Readonly<Record<number, string>> = {
  0: "no route",
  1: "prohibited",
  3: "address",
  4: "port",
};

function icmpText({ type, code, identifier, sequence, quoted, target }: IcmpMessage, version: 4 | 6): string {
  const isV6 = version === 6;
  const name = (isV6 ? ICMPV6 : ICMP)[type] ?? `type ${type} code ${code}`;
  const isUnreachable = name === "unreachable";
  const reason = isUnreachable ? ` (${(isV6 ? UNREACHABLE_V6 : UNREACHABLE)[code] ?? `code ${code}`})` : "";
  const echo = name.startsWith("echo") ? ` id ${identifier} seq ${sequence}` : "";
  const about = quoted === null ? "" : ` about ${quoted.source} → ${quoted.destination}`;
  return `${isV6 ? "ICMPv6" : "ICMP"} ${name}${reason}${echo}${target === null ? "" : ` of ${target}`}${about}`;
}

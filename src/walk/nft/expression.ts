import { addressType } from "../routing.ts";
import { isGroupMac, BROADCAST_MAC, type ArpPacket, type IpPacket } from "../packet.ts";
import { UNKNOWN, type Scene, type Value } from "./chain.ts";
import { compileCt } from "./ct-expression.ts";
import { ADDRESS, INTERFACE, MAC, NAME, type Datatype } from "./datatype.ts";
import {
  PROTOCOL_NUMBERS,
  PROTOCOL,
  ETHER_TYPE,
  PACKET_TYPE,
  NUMBER,
  TCP_FLAG,
  ARP_OPERATION,
  ICMP_TYPE,
  ICMPV6_TYPE,
  FAMILY,
  FIB_TYPE,
} from "./field-types.ts";
import { objectOf, soleEntry } from "./json.ts";

/** The left side of a match: what is read from the packet, and of which kind it is. */
export interface Expression {
  type: Datatype;
  read: (scene: Scene) => Value;
}

/** null: not modelled. Concatenations are taken apart by the caller. */
export function compileExpression(json: unknown): Expression | null {
  const [kind, value] = soleEntry(json);
  const body = objectOf(value);
  switch (kind) {
    case "meta":
      return compileMeta(String(body?.["key"]));
    case "payload":
      return compilePayload(String(body?.["protocol"]), String(body?.["field"]));
    case "ct":
      return compileCt(body?.["key"], body?.["dir"]);
    case "fib":
      return compileFib(body?.["result"], body?.["flags"]);
    case "&":
      return compileMasked(value);
    default:
      return null;
  }
}

function compileMeta(key: string): Expression | null {
  switch (key) {
    // A missing interface reads as an empty name, it does not break (nft_meta_store_ifname).
    case "iifname":
    case "iif":
      return { type: INTERFACE, read: ({ iif }) => iif?.name ?? "" };
    case "oifname":
    case "oif":
      return { type: INTERFACE, read: ({ oif }) => oif?.name ?? "" };
    case "ibrname":
      return { type: INTERFACE, read: ({ iif }) => iif?.master?.name ?? "" };
    case "obrname":
      return { type: INTERFACE, read: ({ oif }) => oif?.master?.name ?? "" };
    case "l4proto":
      return {
        type: PROTOCOL,
        read: ({ frame: { packet } }) => (packet.kind === "ip" ? protocolOf(packet) : undefined),
      };
    case "protocol":
      return { type: ETHER_TYPE, read: (scene) => etherTypeOf(scene) };
    case "nfproto":
      return { type: FAMILY, read: ({ family }) => FAMILY_NUMBERS[family] };
    case "mark":
      return { type: NUMBER, read: ({ frame: { packet } }) => (packet.kind === "ip" ? String(packet.mark) : "0") };
    case "pkttype":
      return { type: PACKET_TYPE, read: packetTypeOf };
    case "length":
      return { type: NUMBER, read: ({ frame: { packet } }) => (packet.kind === "ip" ? String(packet.bytes) : UNKNOWN) };
    default:
      return null;
  }
}

function protocolOf({ protocol }: IpPacket): string {
  return String(PROTOCOL_NUMBERS[protocol]);
}

function etherTypeOf({ frame: { packet } }: Scene): string {
  if (packet.kind === "arp") return String(0x0806);
  return String(packet.source.family === 4 ? 0x0800 : 0x86dd);
}

/** NFPROTO_… of the hook, whatever the packet carries (include/uapi/linux/netfilter.h). */
const FAMILY_NUMBERS: Record<Scene["family"], string> = { ip: "2", arp: "3", netdev: "5", bridge: "7", ip6: "10" };

function packetTypeOf({ frame: { destination }, iif }: Scene): Value {
  if (destination === BROADCAST_MAC) return "1";
  if (isGroupMac(destination)) return "2";
  if (iif === null || iif.kind === "loopback") return "0";
  return destination === iif.mac || destination === iif.master?.mac ? "0" : "3";
}

function compilePayload(protocol: string, field: string): Expression | null {
  switch (protocol) {
    case "ether":
      return compileEther(field);
    case "vlan":
      if (field !== "id") return null;
      return { type: NUMBER, read: ({ frame: { vlan } }) => (vlan === null ? undefined : String(vlan)) };
    case "arp":
      return compileArp(field);
    case "ip":
    case "ip6":
      return compileIp(protocol === "ip" ? 4 : 6, field);
    case "tcp":
    case "udp":
    case "th":
      return compileTransport(protocol, field);
    case "icmp":
    case "icmpv6":
      if (field === "type")
        return ofIp(protocol === "icmp" ? ICMP_TYPE : ICMPV6_TYPE, protocol, (packet) => String(packet.icmpType));
      return field === "code" ? ofIp(NUMBER, protocol, () => "0") : null;
    default:
      return null;
  }
}

function compileEther(field: string): Expression | null {
  if (field === "saddr" || field === "daddr") {
    const end = field === "saddr" ? "source" : "destination";
    // Where there is no Ethernet header, as on the way out of a machine, the load breaks.
    return { type: MAC, read: ({ frame, hasLinkHeader }) => (hasLinkHeader ? frame[end] : undefined) };
  }
  if (field !== "type") return null;
  return {
    type: ETHER_TYPE,
    read: (scene) =>
      scene.hasLinkHeader ? (scene.frame.vlan === null ? etherTypeOf(scene) : String(0x8100)) : undefined,
  };
}

function compileArp(field: string): Expression | null {
  const of = (type: Datatype, read: (packet: ArpPacket) => string): Expression => ({
    type,
    read: ({ frame: { packet } }) => (packet.kind === "arp" ? read(packet) : undefined),
  });
  switch (field) {
    case "operation":
      return of(ARP_OPERATION, ({ operation }) => (operation === "request" ? "1" : "2"));
    case "htype":
      return of(NUMBER, () => "1");
    case "ptype":
      return of(ETHER_TYPE, () => String(0x0800));
    case "hlen":
      return of(NUMBER, () => "6");
    case "plen":
      return of(NUMBER, () => "4");
    case "saddr ip":
      return of(ADDRESS, ({ sender }) => sender.text);
    case "daddr ip":
      return of(ADDRESS, ({ target }) => target.text);
    case "saddr ether":
      return of(MAC, ({ senderMac }) => senderMac);
    case "daddr ether":
      return of(MAC, ({ targetMac }) => targetMac ?? "00:00:00:00:00:00");
    default:
      return null;
  }
}

function compileIp(family: 4 | 6, field: string): Expression | null {
  const of = (type: Datatype, read: (packet: IpPacket) => string): Expression => ({
    type,
    read: ({ frame: { packet } }) =>
      packet.kind === "ip" && packet.source.family === family ? read(packet) : undefined,
  });
  switch (field) {
    case "saddr":
      return of(ADDRESS, ({ source }) => source.text);
    case "daddr":
      return of(ADDRESS, ({ destination }) => destination.text);
    case "ttl":
    case "hoplimit":
      return of(NUMBER, ({ ttl }) => String(ttl));
    case "protocol":
    case "nexthdr":
      return of(PROTOCOL, protocolOf);
    case "version":
      return of(NUMBER, () => String(family));
    case "length":
      return of(NUMBER, ({ bytes }) => String(family === 4 ? bytes : bytes - 40));
    default:
      return null;
  }
}

function compileTransport(protocol: "tcp" | "udp" | "th", field: string): Expression | null {
  if (field === "sport" || field === "dport") {
    const end = field === "sport" ? "sourcePort" : "destinationPort";
    return ofIp(NUMBER, protocol, (packet) => String(packet[end]));
  }
  return protocol === "tcp" && field === "flags" ? ofIp(TCP_FLAG, "tcp", (packet) => String(packet.tcpFlags)) : null;
}

/** nft puts a check of the protocol before such an expression by itself. `th` applies to whatever has ports. */
function ofIp(type: Datatype, protocol: IpPacket["protocol"] | "th", read: (packet: IpPacket) => string): Expression {
  return {
    type,
    read({ frame: { packet } }) {
      if (packet.kind !== "ip") return undefined;
      const applies =
        protocol === "th" ? packet.protocol === "tcp" || packet.protocol === "udp" : packet.protocol === protocol;
      return applies ? read(packet) : undefined;
    },
  };
}

/** `fib daddr type` and `fib saddr type`, of the whole machine or (`. iif`, `. oif`) of one interface. */
function compileFib(result: unknown, flags: unknown): Expression | null {
  if (result !== "type" || !Array.isArray(flags)) return null;
  const [end, device, ...more] = flags as unknown[];
  if ((end !== "daddr" && end !== "saddr") || more.length > 0) return null;
  if (device !== undefined && device !== "iif" && device !== "oif") return null;
  return {
    type: FIB_TYPE,
    read(scene) {
      const { packet } = scene.frame;
      if (packet.kind !== "ip") return undefined;
      const address = end === "saddr" ? packet.source : packet.destination;
      const only = device === undefined ? null : scene[device];
      return FIB_TYPE.canonical(addressType(scene.namespace, address, only)) ?? undefined;
    },
  };
}

function compileMasked(value: unknown): Expression | null {
  if (!Array.isArray(value)) return null;
  const [left, right] = value as unknown[];
  const inner = compileExpression(left);
  if (inner === null || inner.type === NAME || inner.type === ADDRESS || inner.type === MAC) return null;
  const mask = numbersOf(inner.type, right);
  if (mask === null) return null;
  return {
    type: inner.type,
    read(scene) {
      const read = inner.read(scene);
      return typeof read === "string" ? String(BigInt(read) & mask) : read;
    },
  };
}

function numbersOf(type: Datatype, value: unknown): bigint | null {
  const canonical = type.canonical(value);
  return canonical === null ? null : type.number(canonical);
}

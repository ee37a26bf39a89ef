import ipaddr from "ipaddr.js";
import type { AskingLink } from "./probe.ts";
import { MARK_BYTES, readMark, type Mark } from "./mark.ts";

/** An echo as ping sends it: 20 bytes of IPv4, 8 of ICMP, 56 of payload. */
const USUAL_BYTES = 84;
const ICMP_HEADER_BYTES = 8;
const DNS_PORT = 53;
const DNS_HEADER_BYTES = 12;
const BROADCAST = Uint8Array.of(255, 255, 255, 255, 255, 255);

/** ICMP or ICMPv6 echo request. `size`: of the whole IP packet. IPv6's checksum is left to the kernel, which knows the source. */
export function echoRequest(
  version: 4 | 6,
  echo: { identifier: number; sequence: number; mark: Uint8Array; size: number | undefined },
): Uint8Array {
  const headers = (version === 4 ? 20 : 40) + ICMP_HEADER_BYTES;
  const payload = Math.max(MARK_BYTES, (echo.size ?? (version === 4 ? USUAL_BYTES : USUAL_BYTES + 20)) - headers);
  const bytes = new Uint8Array(ICMP_HEADER_BYTES + payload);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version === 4 ? 8 : 128);
  view.setUint16(4, echo.identifier);
  view.setUint16(6, echo.sequence & 0xffff);
  bytes.set(echo.mark, ICMP_HEADER_BYTES);
  if (version === 4) view.setUint16(2, checksum(bytes));
  return bytes;
}

/** Internet checksum (RFC 1071). */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** What asks at a port of UDP. */
export function datagram(port: number, mark: Uint8Array): Uint8Array {
  return port === DNS_PORT ? dnsQuery(mark) : mark;
}

/** A DNS query (RFC 1035) for a name that nobody has and whose first label is the mark: a server answers it somehow, and repeats it. */
export function dnsQuery(mark: Uint8Array): Uint8Array {
  const label = Buffer.from(mark).toString("hex");
  const name = [label, "invalid"].flatMap((part) => [part.length, ...Buffer.from(part)]);
  // Identifier, "recursion desired", one question; type A, class IN.
  const header = [mark[14] ?? 0, mark[15] ?? 0, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.of(...header, ...name, 0, 0, 1, 0, 1);
}

/** The mark of a datagram, plain or in a DNS message, and whether that is a response. */
export function datagramMark(run: Uint8Array, data: Uint8Array): (Mark & { response: boolean }) | null {
  const plain = readMark(run, data);
  if (plain !== null) return { ...plain, response: false };
  const label = data.subarray(DNS_HEADER_BYTES + 1, DNS_HEADER_BYTES + 1 + 2 * MARK_BYTES);
  if (data[DNS_HEADER_BYTES] !== 2 * MARK_BYTES || label.length < 2 * MARK_BYTES) return null;
  const mark = readMark(run, Buffer.from(Buffer.from(label).toString("latin1"), "hex"));
  return mark === null ? null : { ...mark, response: ((data[2] ?? 0) & 0x80) !== 0 };
}

/** What asks by broadcast for an address, as `asker`; or the errno name of why nothing does. */
export function broadcast(version: 4 | 6, asker: AskingLink | null, address: string): Uint8Array | string {
  if (asker === null) return "ENODEV";
  if (version === 4) return arpRequest(asker.mac, asker.address, address);
  // A solicitation from no address is a check for duplicates, which a machine answers to all; it asks nothing.
  if (asker.address === null) return "EADDRNOTAVAIL";
  return neighbourSolicitation(asker.mac, asker.address, address);
}

/** A broadcast ARP request (RFC 826), padded to Ethernet's shortest frame. `senderAddress` null: 0.0.0.0, as a probe asks. */
export function arpRequest(senderMac: string, senderAddress: string | null, target: string): Uint8Array {
  const frame = new Uint8Array(60);
  const mac = macBytes(senderMac);
  frame.set(BROADCAST, 0);
  frame.set(mac, 6);
  frame.set([0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1], 12);
  frame.set(mac, 22);
  frame.set(addressBytes(senderAddress ?? "0.0.0.0"), 28);
  frame.set(addressBytes(target), 38);
  return frame;
}

/** A neighbour solicitation (RFC 4861) to the target's solicited-node group. */
export function neighbourSolicitation(senderMac: string, senderAddress: string, target: string): Uint8Array {
  const mac = macBytes(senderMac);
  const wanted = addressBytes(target);
  const group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...wanted.subarray(13)];
  // Type 135, code, checksum, reserved; the target; option 1: the sender's MAC.
  const message = Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0, ...wanted, 1, 1, ...mac);
  const source = addressBytes(senderAddress);
  const sum = checksum(Uint8Array.of(...source, ...group, 0, 0, 0, message.length, 0, 0, 0, 58, ...message));
  message[2] = sum >>> 8;
  message[3] = sum & 0xff;
  const ethernet = [0x33, 0x33, ...group.slice(12), ...mac, 0x86, 0xdd];
  // Version 6; payload length; ICMPv6; hop limit 255, without which it is ignored.
  const header = [0x60, 0, 0, 0, 0, message.length, 58, 255];
  return Uint8Array.of(...ethernet, ...header, ...source, ...group, ...message);
}

function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (pair) => Number.parseInt(pair, 16));
}

function addressBytes(address: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(address).toByteArray());
}

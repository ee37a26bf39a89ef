/** ICMP types (RFC 792). */
export const ECHO_REPLY = 0;
export const DESTINATION_UNREACHABLE = 3;
const ECHO_REQUEST = 8;

const HEADER_BYTES = 8;
const COOKIE_BYTES = 8;
const NUMBER_BYTES = 4;
/** 64 bytes on the wire behind the IP header, as ping sends. */
export const ECHO_BYTES = 64;
/** Shortest IPv4 header. */
const IP_BYTES = 20;

/** Writes an echo request: sequence number = the low 16 bits of `number`; payload = cookie, number, zeros. */
export function writeEcho(packet: Uint8Array, identifier: number, number: number, cookie: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset, ECHO_BYTES);
  view.setUint8(0, ECHO_REQUEST);
  view.setUint8(1, 0);
  view.setUint16(2, 0);
  view.setUint16(4, identifier);
  view.setUint16(6, number & 0xffff);
  packet.set(cookie, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + COOKIE_BYTES, number);
  packet.fill(0, HEADER_BYTES + COOKIE_BYTES + NUMBER_BYTES, ECHO_BYTES);
  view.setUint16(2, checksum(packet.subarray(0, ECHO_BYTES)));
}

/** Internet checksum (RFC 1071) of an even number of bytes. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/**
 * What an IPv4 packet says about our echo requests; null: nothing. An `unreachable` quotes the request, of which only
 * the first 8 bytes are sure to come (RFC 792), so its `number` has 16 bits.
 */
export function parseIcmp(
  packet: Uint8Array,
  identifier: number,
  cookie: Uint8Array,
): { kind: "reply" | "unreachable"; number: number } | null {
  const at = ipHeaderBytes(packet, 0);
  if (at < 0 || packet.length < at + HEADER_BYTES) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const type = view.getUint8(at);
  if (type === ECHO_REPLY) {
    const payload = at + HEADER_BYTES;
    if (view.getUint16(at + 4) !== identifier || packet.length < payload + COOKIE_BYTES + NUMBER_BYTES) return null;
    if (!cookie.every((byte, i) => packet[payload + i] === byte)) return null;
    return { kind: "reply", number: view.getUint32(payload + COOKIE_BYTES) };
  }
  if (type !== DESTINATION_UNREACHABLE) return null;
  const quoted = ipHeaderBytes(packet, at + HEADER_BYTES);
  if (quoted < 0 || packet.length < quoted + HEADER_BYTES) return null;
  if (view.getUint8(quoted) !== ECHO_REQUEST || view.getUint16(quoted + 4) !== identifier) return null;
  return { kind: "unreachable", number: view.getUint16(quoted + 6) };
}

/** Where the IPv4 header that begins at `at` ends; -1 when there is none. */
function ipHeaderBytes(packet: Uint8Array, at: number): number {
  const first = packet[at];
  if (first === undefined || first >>> 4 !== 4) return -1;
  const length = (first & 15) * 4;
  return length >= IP_BYTES && at + length <= packet.length ? at + length : -1;
}

import ipaddr from "ipaddr.js";

/** An IPv4 or IPv6 address. Equal addresses are one object, so that they compare with `===`. */
export interface Ip {
  family: 4 | 6;
  /** Canonical (RFC 5952). */
  text: string;
  value: bigint;
}

export interface Prefix {
  first: Ip;
  length: number;
}

const known = new Map<string, Ip>();

/** null: no address. */
export function parseIp(text: string): Ip | null {
  const present = known.get(text);
  if (present !== undefined) return present;
  if (!ipaddr.isValid(text)) return null;
  const parsed = ipaddr.parse(text);
  const value = parsed.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const canonical = "toRFC5952String" in parsed ? parsed.toRFC5952String() : parsed.toString();
  const ip = known.get(canonical) ?? {
    family: parsed.kind() === "ipv4" ? (4 as const) : (6 as const),
    text: canonical,
    value,
  };
  known.set(canonical, ip);
  known.set(text, ip);
  return ip;
}

/** Throws Error when it is none. */
export function ip(text: string): Ip {
  const parsed = parseIp(text);
  if (parsed === null) throw new Error(`${text} is no IP address`);
  return parsed;
}

/** `10.0.0.0/8`, `default`, an address (a prefix of full length); null: none of these. */
export function parsePrefix(text: string): Prefix | null {
  if (text === "default") return { first: ANY4, length: 0 };
  const [address = "", length] = text.split("/");
  const first = parseIp(address);
  if (first === null) return null;
  return { first, length: length === undefined ? bitsOf(first) : Number(length) };
}

export function covers({ first, length }: Prefix, address: Ip): boolean {
  if (first.family !== address.family) return false;
  const shift = BigInt(bitsOf(first) - length);
  return first.value >> shift === address.value >> shift;
}

/** Number of leading bits that two addresses share (RFC 6724, CommonPrefixLen). */
export function commonBits(a: Ip, b: Ip): number {
  const difference = a.value ^ b.value;
  return bitsOf(a) - (difference === 0n ? 0 : difference.toString(2).length);
}

export function bitsOf({ family }: Ip): number {
  return family === 4 ? 32 : 128;
}

const ANY4 = ip("0.0.0.0");
const MULTICAST4 = ip("224.0.0.0");
const MULTICAST6 = ip("ff00::");
const LOOPBACK4 = ip("127.0.0.0");
const LINK_LOCAL6 = ip("fe80::");

export function isUnspecified({ value }: Ip): boolean {
  return value === 0n;
}

export function isMulticast(address: Ip): boolean {
  return address.family === 4
    ? covers({ first: MULTICAST4, length: 4 }, address)
    : covers({ first: MULTICAST6, length: 8 }, address);
}

export function isLoopback(address: Ip): boolean {
  return address.family === 4 ? covers({ first: LOOPBACK4, length: 8 }, address) : address.value === 1n;
}

export function isLinkLocal6(address: Ip): boolean {
  return address.family === 6 && covers({ first: LINK_LOCAL6, length: 10 }, address);
}

/** Where a solicitation for the address is sent (RFC 4291, 2.7.1). */
export function solicitedNode(target: Ip): Ip {
  const low = target.value & 0xffffffn;
  const hex = low.toString(16).padStart(6, "0");
  return ip(`ff02::1:ff${hex.slice(0, 2)}:${hex.slice(2)}`);
}

/** The address that the kernel gives an interface by itself: EUI-64 of its MAC (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): Ip {
  const bytes = mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  const words = [((a ^ 2) << 8) | b, (c << 8) | 0xff, (0xfe << 8) | d, (e << 8) | f];
  return ip(`fe80::${words.map((word) => word.toString(16)).join(":")}`);
}

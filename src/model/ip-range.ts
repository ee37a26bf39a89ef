import ipaddr from "ipaddr.js";

/** First and last address of a subnet as numbers. */
export function range(subnet: string): { first: number; last: number; prefix: number } {
  const [address, bits] = subnet.split("/");
  const prefix = Number(bits);
  const size = 2 ** (32 - prefix);
  const value = toNumber(address ?? "");
  const first = value - (value % size);
  return { first, last: first + size - 1, prefix };
}

/** An IPv4 address as a number, and back. */
export function toNumber(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}
export function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** As `range`, of an IPv6 subnet. */
export function range6(subnet: string): { first: bigint; last: bigint; prefix: number } {
  const [address, bits] = subnet.split("/");
  const prefix = Number(bits);
  const size = 1n << BigInt(128 - prefix);
  const value = toNumber6(address ?? "");
  const first = value - (value % size);
  return { first, last: first + size - 1n, prefix };
}

export function toNumber6(address: string): bigint {
  return ipaddr.IPv6.parse(address).parts.reduce((sum, part) => (sum << 16n) + BigInt(part), 0n);
}

/** In the form of RFC 5952, as the kernel's tools print it. */
export function toAddress6(value: bigint): string {
  const parts = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  return new ipaddr.IPv6(parts).toRFC5952String();
}

export function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** Whether an address, of either family, lies in a subnet; false when the families differ. */
export function isWithin(address: string, subnet: string): boolean {
  if (isIpv6(address) !== isIpv6(subnet)) return false;
  if (isIpv6(address)) {
    const { first, last } = range6(subnet);
    const value = toNumber6(address);
    return value >= first && value <= last;
  }
  const { first, last } = range(subnet);
  const value = toNumber(address);
  return value >= first && value <= last;
}

/** Whether two subnets, of either family, have addresses in common. */
export function overlap(a: string, b: string): boolean {
  if (isIpv6(a) !== isIpv6(b)) return false;
  if (isIpv6(a)) {
    const [x, y] = [range6(a), range6(b)];
    return x.first <= y.last && y.first <= x.last;
  }
  const [x, y] = [range(a), range(b)];
  return x.first <= y.last && y.first <= x.last;
}

/** As the kernel shows it, without what the prefix leaves out: `10.23.0.7/24` is `10.23.0.0/24`. */
export function canonicalSubnet(subnet: string): string {
  if (isIpv6(subnet)) {
    const { first, prefix } = range6(subnet);
    return `${toAddress6(first)}/${prefix}`;
  }
  const { first, prefix } = range(subnet);
  return `${toAddress(first)}/${prefix}`;
}

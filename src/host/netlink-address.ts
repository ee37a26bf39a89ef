import ipaddr from "ipaddr.js";

export const AF_INET = 2;
export const AF_INET6 = 10;

/** An IPv4 or IPv6 address as the kernel wants it. Throws Error when it is none: the schemas let only addresses through. */
export function addressBytes(address: string): { family: number; bytes: Uint8Array } {
  const parsed = ipaddr.parse(address);
  return { family: parsed.kind() === "ipv4" ? AF_INET : AF_INET6, bytes: Uint8Array.from(parsed.toByteArray()) };
}

/** 4 bytes: dotted IPv4; 16 bytes: IPv6 as RFC 5952 writes it. */
export function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  return ipaddr.fromByteArray([...bytes]).toString();
}

export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(":"), (pair) => Number.parseInt(pair, 16));
}

/** null when it is no Ethernet address. */
export function macText(bytes: Buffer): string | null {
  if (bytes.length !== 6) return null;
  return bytes.toString("hex").replaceAll(/(..)(?!$)/g, "$1:");
}

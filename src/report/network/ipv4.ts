/** Whether it is an IPv4 address, of two that are known to be addresses. */
export function isIpv4(address: string): boolean {
  return !address.includes(":");
}

/** `255.255.255.0` */
export function maskText(prefix: number): string {
  return dotted(prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);
}

/** First and last address of the subnet that the address lies in. */
export function networkRange(address: string, prefix: number): { network: string; broadcast: string } {
  const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - prefix);
  const first = value - (value % size);
  return { network: dotted(first), broadcast: dotted(first + size - 1) };
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

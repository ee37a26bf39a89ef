/** RPS mask of an interface's first receive queue; veths and bridges have no other. */
export const RPS_FILE = "queues/rx-0/rps_cpus";

/** CPUs as the kernel takes a mask: hexadecimal, groups of 32 CPUs parted by commas, the highest first. */
export function formatCpuMask(cpus: readonly number[]): string {
  let mask = 0n;
  for (const cpu of cpus) mask |= 1n << BigInt(cpu);
  const groups: string[] = [];
  do {
    groups.unshift((mask & 0xffffffffn).toString(16).padStart(8, "0"));
    mask >>= 32n;
  } while (mask > 0n);
  return groups.join(",");
}

/** CPU numbers of a mask as the kernel prints it, ascending. */
export function parseCpuMask(text: string): number[] {
  const digits = text.trim().replaceAll(",", "");
  const cpus: number[] = [];
  for (let i = 0; i < digits.length; i++) {
    const nibble = Number.parseInt(digits.charAt(digits.length - 1 - i), 16);
    for (let bit = 0; bit < 4; bit++) {
      if ((nibble & (1 << bit)) !== 0) cpus.push(4 * i + bit);
    }
  }
  return cpus;
}

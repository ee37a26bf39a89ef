import type { PlannedDomain } from "./domains.ts";

/**
 * What may go wrong on this machine.
 * @param neighbourLimit its net.ipv4.neigh.default.gc_thresh3, which counts all namespaces together; null: not known
 */
export function planWarnings(domains: readonly PlannedDomain[], neighbourLimit: number | null): string[] {
  if (neighbourLimit === null) return [];
  const sizes = new Map<string, number>();
  for (const { plan } of domains) {
    for (const { network } of plan.vifs) sizes.set(network, (sizes.get(network) ?? 0) + 1);
  }
  const entries = [...sizes.values()].reduce((sum, size) => sum + size * (size - 1), 0);
  if (entries <= neighbourLimit) return [];
  return [
    `if all domains of a network speak with each other, the machine's neighbour table needs ${entries} entries and holds ${neighbourLimit}, and then no ARP is answered in any namespace: raise net.ipv4.neigh.default.gc_thresh3`,
  ];
}

import type { Host } from "../host/host.ts";

/**
 * Whether the kernel counts swap per group; where it does not, a swap limit cannot be set. v1 does so unless the kernel was
 * started with swapaccount=0, v2 whenever there can be swap at all.
 * @param cgroup a group that is there
 */
export async function countsSwap(host: Host, cgroup: string): Promise<boolean> {
  if (host.cgroups.version === 2) return host.files.exists("/proc/swaps");
  return (await host.cgroups.read(cgroup, "memory", "memory.memsw.limit_in_bytes")) !== null;
}

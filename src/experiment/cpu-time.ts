import type { Host } from "../host/host.ts";

/** Time that CPUs have counted since boot, in clock ticks. */
export interface CpuTime {
  total: number;
  /** Time in which the hypervisor below ran somebody else. */
  steal: number;
}

/** Sums over some CPUs what /proc/stat says (proc(5): user nice system idle iowait irq softirq steal guest guest_nice). */
export function parseCpuTime(stat: string, cpus: number[]): CpuTime {
  const wanted = new Set(cpus.map((cpu) => `cpu${cpu}`));
  const sum: CpuTime = { total: 0, steal: 0 };
  for (const line of stat.split("\n")) {
    const [name, ...fields] = line.trim().split(/\s+/);
    if (name === undefined || !wanted.has(name)) continue;
    // Guest time is counted in user time already.
    const ticks = fields.slice(0, 8).map(Number);
    sum.total += ticks.reduce((total, tick) => total + tick, 0);
    sum.steal += ticks[7] ?? 0;
  }
  return sum;
}

export async function readCpuTime(host: Host, cpus: number[]): Promise<CpuTime> {
  return parseCpuTime(await host.files.readText("/proc/stat"), cpus);
}

/** Share of the time between two readings that was stolen; null when none passed. */
export function stealShare(before: CpuTime, after: CpuTime): number | null {
  const total = after.total - before.total;
  return total <= 0 ? null : (after.steal - before.steal) / total;
}

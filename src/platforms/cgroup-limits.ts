import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { DomainLimits, DomainPlan } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";
import { countsSwap } from "./swap-accounting.ts";

/** One file of a control group, in the order in which they must be written. */
export interface CgroupSetting {
  controller: string;
  file: string;
  text: string;
}

/**
 * CPU, memory and process limits as files of a control group. Quotas come after their period, memory before memory and swap,
 * because the kernel checks each against the other.
 * @param swapAccounting whether the kernel counts swap per group
 */
export function cgroupSettings(limits: DomainLimits, version: 1 | 2, swapAccounting: boolean): CgroupSetting[] {
  return version === 1 ? version1(limits, swapAccounting) : version2(limits, swapAccounting);
}

/** Sets limits of a group, whatever is set; default: all of them. */
export async function writeCgroupLimits(
  host: Host,
  group: string,
  limits: DomainLimits,
  controllers?: readonly string[],
): Promise<void> {
  const all = cgroupSettings(limits, host.cgroups.version, await countsSwap(host, group));
  const settings = all.filter(({ controller }) => controllers?.includes(controller) !== false);
  // v1 takes no more memory than memory and swap together, which come last because there is no less of those than of it.
  const both = settings.find(({ file }) => file === MEMORY_AND_SWAP);
  const isMore = async () => Number(await host.cgroups.read(group, "memory", MEMORY_AND_SWAP)) < limits.memoryBytes;
  const first = both !== undefined && (await isMore()) ? [both] : [];
  for (const { controller, file, text } of [...first, ...settings]) {
    await host.cgroups.write(group, controller, file, text);
  }
}

/**
 * Gives a domain's group other limits.
 * @throws LabError when what it uses, and cannot give back, is more than it is to have: of v2 the kernel would kill for it
 */
export async function changeCgroupLimits(host: Host, group: string, { name, limits }: DomainPlan): Promise<void> {
  const stat = (await host.cgroups.read(group, "memory", "memory.stat")) ?? "";
  const bytes = (key: string) => Number(new RegExp(`^${key} (\\d+)$`, "m").exec(stat)?.[1] ?? 0);
  const usedBytes =
    host.cgroups.version === 1
      ? bytes("total_rss") + bytes("total_shmem")
      : bytes("anon") + bytes("shmem") + Math.max(0, bytes("kernel") - bytes("slab_reclaimable")) + bytes("sock");
  if (usedBytes > limits.memoryBytes) {
    const [used, wanted] = [Math.ceil(usedBytes / 2 ** 20), Math.floor(limits.memoryBytes / 2 ** 20)];
    throw new LabError(`domain ${name} uses ${used}M of memory, and is to have ${wanted}M`, {
      hint: "end what uses it, or give it more",
    });
  }
  await writeCgroupLimits(host, group, limits);
}

/** Whether nothing but these limits is different. */
export function differOnlyIn(
  before: DomainLimits,
  after: DomainLimits,
  names: readonly (keyof DomainLimits)[],
): boolean {
  return sameData({ ...before, ...Object.fromEntries(names.map((name) => [name, after[name]])) }, after);
}

const MEMORY_AND_SWAP = "memory.memsw.limit_in_bytes";

function version1(limits: DomainLimits, swapAccounting: boolean): CgroupSetting[] {
  const memory = String(limits.memoryBytes);
  const { period, quota } = bandwidthUs(limits);
  return [
    { controller: "cpuset", file: "cpuset.cpus", text: limits.cpuset.join(",") },
    { controller: "cpu", file: "cpu.shares", text: String(limits.shares) },
    { controller: "cpu", file: "cpu.cfs_period_us", text: String(period) },
    { controller: "cpu", file: "cpu.cfs_quota_us", text: String(quota ?? -1) },
    { controller: "memory", file: "memory.limit_in_bytes", text: memory },
    ...(swapAccounting ? [{ controller: "memory", file: MEMORY_AND_SWAP, text: memory }] : []),
    { controller: "pids", file: "pids.max", text: String(limits.pids) },
  ];
}

function version2(limits: DomainLimits, swapAccounting: boolean): CgroupSetting[] {
  const { period, quota } = bandwidthUs(limits);
  return [
    { controller: "cpuset", file: "cpuset.cpus", text: limits.cpuset.join(",") },
    { controller: "cpu", file: "cpu.weight", text: String(weightOfShares(limits.shares)) },
    { controller: "cpu", file: "cpu.max", text: `${quota ?? "max"} ${period}` },
    { controller: "memory", file: "memory.max", text: String(limits.memoryBytes) },
    ...(swapAccounting ? [{ controller: "memory", file: "memory.swap.max", text: "0" }] : []),
    { controller: "pids", file: "pids.max", text: String(limits.pids) },
  ];
}

function bandwidthUs(limits: DomainLimits): { period: number; quota: number | null } {
  const period = Math.round(limits.cpuPeriodMs * 1000);
  return { period, quota: limits.cpus === null ? null : Math.round(limits.cpus * period) };
}

/** The range of v1 shares, 2 to 262144, laid onto that of v2 weights, 1 to 10000; the same as in runc, crun and systemd. */
export function weightOfShares(shares: number): number {
  return 1 + Math.floor(((shares - 2) * 9999) / 262_142);
}

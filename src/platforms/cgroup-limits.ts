import type { DomainLimits } from "../model/plan.ts";

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

function version1(limits: DomainLimits, swapAccounting: boolean): CgroupSetting[] {
  const memory = String(limits.memoryBytes);
  const { period, quota } = bandwidthUs(limits);
  return [
    { controller: "cpuset", file: "cpuset.cpus", text: limits.cpuset.join(",") },
    { controller: "cpu", file: "cpu.shares", text: String(limits.shares) },
    { controller: "cpu", file: "cpu.cfs_period_us", text: String(period) },
    { controller: "cpu", file: "cpu.cfs_quota_us", text: String(quota ?? -1) },
    { controller: "memory", file: "memory.limit_in_bytes", text: memory },
    ...(swapAccounting ? [{ controller: "memory", file: "memory.memsw.limit_in_bytes", text: memory }] : []),
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

import type { ControlGroups } from "../host/host.ts";
import type { DomainUsage } from "./platform.ts";

/** Reads the counters of a control group. Peaks and counts run from the group's creation. */
export async function readUsage(cgroups: ControlGroups, group: string): Promise<DomainUsage> {
  return cgroups.version === 1 ? readVersion1(cgroups, group) : readVersion2(cgroups, group);
}

async function readVersion1(cgroups: ControlGroups, group: string): Promise<DomainUsage> {
  const stat = keyed(await cgroups.read(group, "cpu", "cpu.stat"));
  return {
    cpuNs: whole(await cgroups.read(group, "cpuacct", "cpuacct.usage")),
    memoryPeakBytes: whole(await cgroups.read(group, "memory", "memory.max_usage_in_bytes")),
    oomKills: keyed(await cgroups.read(group, "memory", "memory.oom_control"))("oom_kill"),
    // Linux 6.12 and later.
    pidsPeak: whole(await cgroups.read(group, "pids", "pids.peak")),
    nrPeriods: stat("nr_periods"),
    nrThrottled: stat("nr_throttled"),
    throttledNs: stat("throttled_time"),
  };
}

async function readVersion2(cgroups: ControlGroups, group: string): Promise<DomainUsage> {
  const stat = keyed(await cgroups.read(group, "cpu", "cpu.stat"));
  const ns = (key: string) => {
    const us = stat(key);
    return us === null ? null : us * 1000;
  };
  return {
    cpuNs: ns("usage_usec"),
    // Linux 5.19 and later.
    memoryPeakBytes: whole(await cgroups.read(group, "memory", "memory.peak")),
    oomKills: keyed(await cgroups.read(group, "memory", "memory.events"))("oom_kill"),
    pidsPeak: whole(await cgroups.read(group, "pids", "pids.peak")),
    nrPeriods: stat("nr_periods"),
    nrThrottled: stat("nr_throttled"),
    throttledNs: ns("throttled_usec"),
  };
}

/** A file of lines `key number`. */
function keyed(text: string | null): (key: string) => number | null {
  const values = new Map(
    (text ?? "").split("\n").map((line): [string, string | undefined] => {
      const [key = "", value] = line.split(" ");
      return [key, value];
    }),
  );
  return (key) => whole(values.get(key) ?? null);
}

function whole(text: string | null): number | null {
  return text !== null && /^\d+\s*$/.test(text) ? Number(text) : null;
}

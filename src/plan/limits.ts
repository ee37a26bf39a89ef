import { parseCpuList } from "../model/cpu-list.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { DomainLimits, Placement } from "../model/plan.ts";
import type { Context } from "./merge.ts";

/**
 * A context's limits on this machine.
 * @throws LabError when it wants CPUs that the machine or the platform has not
 */
export function limitsOf({ name, domain }: Context, placement: Placement, cpus: number[]): DomainLimits {
  const cpuset = domain.cpuset === undefined ? placement.platform : parseCpuList(domain.cpuset);
  const absent = cpuset.filter((cpu) => !cpus.includes(cpu));
  if (absent.length > 0) {
    throw new LabError(`domains.${name}.cpuset: this machine has no CPU ${absent.join(", ")}`, {
      hint: `it has ${cpus.join(", ")}; leave cpuset out to use the platform's`,
      exit: ExitCode.usage,
    });
  }
  if (domain.cpus !== undefined && domain.cpus > cpuset.length + 1e-9) {
    throw new LabError(
      `domains.${name}.cpus: ${domain.cpus} is more than the ${cpuset.length} CPU(s) that it may run on`,
      {
        hint: "lower cpus, or give it more by cpuset or host.cpus",
        exit: ExitCode.usage,
      },
    );
  }
  return {
    cpus: domain.cpus ?? null,
    cpuPeriodMs: domain.cpuPeriod,
    shares: domain.shares,
    cpuset,
    memoryBytes: domain.memory,
    pids: domain.pids,
    diskBytes: domain.disk ?? null,
    io: {
      readBytesPerSecond: domain.io.readRate,
      writeBytesPerSecond: domain.io.writeRate,
      readIops: domain.io.readIops,
      writeIops: domain.io.writeIops,
    },
  };
}

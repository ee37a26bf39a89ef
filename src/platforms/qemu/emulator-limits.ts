import type { Host } from "../../host/host.ts";
import type { DomainLimits } from "../../model/plan.ts";
import { differOnlyIn, writeCgroupLimits } from "../cgroup-limits.ts";
import type { Limiting } from "../platform.ts";
import { TRANSLATED_MIB, type Accelerator } from "./qemu-arguments.ts";

/** What QEMU takes beside the guest's memory: measured 60 MiB with an idle guest; page cache of its disks counts, too. */
const QEMU_BYTES = 128 * 2 ** 20;

/** Threads of QEMU: CPUs, the main loop, up to 64 for disks. The guest's own limit of processes is kept inside. */
const QEMU_THREADS = 128;

/** A guest's budget as its QEMU's: CPU time as a container's, memory with what emulation takes. */
function emulatorLimits(limits: DomainLimits, accelerator: Accelerator): DomainLimits {
  const translated = accelerator === "tcg" ? TRANSLATED_MIB * 2 ** 20 : 0;
  return { ...limits, memoryBytes: limits.memoryBytes + QEMU_BYTES + translated, pids: QEMU_THREADS };
}

/**
 * Sets the limits of a guest's control group.
 * @param phase `boot`: without the CPU quota. A guest comes up as fast as its CPUs are, and gets its quota when it is up
 */
export async function limitEmulator(
  host: Host,
  group: string,
  limits: DomainLimits,
  accelerator: Accelerator,
  phase: "boot" | "run",
): Promise<void> {
  await host.cgroups.ensure(group);
  const emulator = emulatorLimits(phase === "boot" ? { ...limits, cpus: null } : limits, accelerator);
  await writeCgroupLimits(host, group, emulator, phase === "run" ? ["cpu"] : undefined);
}

/** What is the guest's own, as its memory, it has from its start. */
export const limiting: Limiting = {
  fits: async (_host, _workspace, before, domain) =>
    differOnlyIn(before.limits, domain.limits, ["cpus", "cpuPeriodMs", "shares", "cpuset"]),

  async set(host, workspace, { name, limits }) {
    await writeCgroupLimits(host, `${workspace.cgroup}/${name}`, limits, ["cpu", "cpuset"]);
  },
};

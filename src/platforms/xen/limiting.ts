import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainLimits, DomainPlan } from "../../model/plan.ts";
import { differOnlyIn } from "../cgroup-limits.ts";
import { requireEnoughMemory } from "../guest/prepare-files.ts";
import type { Limiting } from "../platform.ts";
import { findDomain, readStore, requireDomain, tryXl, xl } from "./toolstack.ts";
import { xenPaths, type XenPaths } from "./xen-paths.ts";
import { mebibytes } from "./xl-config.ts";

const POLL_MS = 200;
/** Of some hundred MiB, in an emulated domain with a small part of a processor. */
const GIVING_BACK_MS = 60_000;

/** The scheduler knows no periods. */
const LIVE = ["cpus", "cpuPeriodMs", "shares", "cpuset", "memoryBytes"] as const;

/** A domain gives memory back, and gets of it as much as it was started with. */
export const limiting: Limiting = {
  async fits(host, workspace, before, domain) {
    if (!differOnlyIn(before.limits, domain.limits, LIVE)) return false;
    if (domain.limits.memoryBytes <= before.limits.memoryBytes) return true;
    const found = await findDomain(host, xenPaths(workspace, domain.name).uuid);
    const mostKiB = found === null ? null : await readStore(host, `/local/domain/${found.id}/memory/static-max`);
    return mebibytes(domain.limits) * 1024 <= Number(mostKiB ?? 0);
  },

  async set(host, workspace, domain) {
    requireEnoughMemory(domain);
    const paths = xenPaths(workspace, domain.name);
    const id = `${(await requireDomain(host, domain.name, paths.uuid)).id}`;
    await shareProcessors(host, paths, Number(id), domain);
    await xl(host, ["vcpu-pin", id, "all", domain.limits.cpuset.join(",")]);
    await xl(host, ["mem-set", id, `${mebibytes(domain.limits)}m`]);
    await untilGivenBack(host, domain, paths);
  },
};

/** The domain's own kernel gives memory back, bit by bit; others are made of it. One that has less is not waited for. */
async function untilGivenBack(host: Host, { name, limits }: DomainPlan, { uuid }: XenPaths): Promise<void> {
  const wanted = mebibytes(limits);
  const deadline = host.clock.monotonicMs() + GIVING_BACK_MS;
  for (;;) {
    const found = await requireDomain(host, name, uuid);
    if (found.memoryMiB <= wanted) return;
    if (found.state === "paused" || host.clock.monotonicMs() > deadline) {
      throw new LabError(
        `domain ${name} has ${found.memoryMiB}M of memory, and does not give back what is over ${wanted}M`,
        {
          hint: found.state === "paused" ? "let it go on: `cloison resume`" : "end what uses it, or give it more",
        },
      );
    }
    await host.clock.sleep(POLL_MS);
  }
}

/** Gives a domain its part of the processors: of those that want them, by weight, and at most. */
export async function shareProcessors(
  host: Host,
  { uuid }: XenPaths,
  id: number,
  { name, limits }: DomainPlan,
): Promise<void> {
  const { code, stderr } = await tryXl(host, ["sched-credit2", "-d", `${id}`, ...creditOptions(limits)]);
  // It may have ended by now.
  if (code === 0 || (await findDomain(host, uuid)) === null) return;
  throw new LabError(`domain ${name} does not get its part of the processors: ${stderr.trim()}`);
}

/** Credit2's weight is 256 where shares are 1024; a cap of 100 is one processor, and 0 none. */
export function creditOptions({ shares, cpus }: Pick<DomainLimits, "shares" | "cpus">): string[] {
  const weight = Math.min(65_535, Math.max(1, Math.round(shares / 4)));
  const cap = cpus === null ? 0 : Math.max(1, Math.round(cpus * 100));
  return ["-w", `${weight}`, "-c", `${cap}`];
}

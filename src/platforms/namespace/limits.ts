import type { Host } from "../../host/host.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { changeCgroupLimits, writeCgroupLimits } from "../cgroup-limits.ts";
import type { Limiting, Workspace } from "../platform.ts";

/** Makes the domain's control group with its limits, when something is first run in it. Returns its name. */
export async function setLimits(host: Host, workspace: Workspace, domain: DomainPlan): Promise<string> {
  const group = `${workspace.cgroup}/${domain.name}`;
  // Written last, so it says that all are.
  if ((await host.cgroups.read(group, "pids", "pids.max"))?.trim() === String(domain.limits.pids)) return group;
  await workspace.record([{ kind: "cgroup", group }]);
  await host.cgroups.ensure(group);
  await writeCgroupLimits(host, group, domain.limits);
  return group;
}

/** A domain in which nothing was run has no group yet. */
export const limiting: Limiting = {
  fits: async () => true,

  async set(host, workspace, domain) {
    const group = `${workspace.cgroup}/${domain.name}`;
    if ((await host.cgroups.read(group, "pids", "pids.max")) !== null) {
      await changeCgroupLimits(host, group, domain);
    }
  },
};

import type { Host } from "../../host/host.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { cgroupSettings } from "../cgroup-limits.ts";
import type { Workspace } from "../platform.ts";
import { countsSwap } from "../swap-accounting.ts";

/** Makes the domain's control group with its limits, when something is first run in it. Returns its name. */
export async function setLimits(host: Host, workspace: Workspace, domain: DomainPlan): Promise<string> {
  const group = `${workspace.cgroup}/${domain.name}`;
  // Written last, so it says that all are.
  if ((await host.cgroups.read(group, "pids", "pids.max"))?.trim() === String(domain.limits.pids)) return group;
  await workspace.record([{ kind: "cgroup", group }]);
  await host.cgroups.ensure(group);
  for (const { controller, file, text } of cgroupSettings(
    domain.limits,
    host.cgroups.version,
    await countsSwap(host, group),
  )) {
    await host.cgroups.write(group, controller, file, text);
  }
  return group;
}

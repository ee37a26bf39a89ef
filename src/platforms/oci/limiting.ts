import { changeCgroupLimits, differOnlyIn } from "../cgroup-limits.ts";
import type { Limiting } from "../platform.ts";
import { domainPaths } from "./domain-paths.ts";
import { machineFacts } from "./machine-facts.ts";
import { limitResources, type OciConfig } from "./oci-config.ts";

/** By the container's control group; the runtime reads its configuration when it starts one. */
export const limiting: Limiting = {
  fits: async (_host, _workspace, before, domain) =>
    differOnlyIn(before.limits, domain.limits, ["cpus", "cpuPeriodMs", "shares", "cpuset", "memoryBytes", "pids"]),

  async set(host, workspace, domain) {
    const { config: file } = domainPaths(workspace, domain.name);
    const resources = limitResources(domain, await machineFacts(host, workspace.cgroup));
    await changeCgroupLimits(host, `${workspace.cgroup}/${domain.name}`, domain);
    const config = JSON.parse(await host.files.readText(file)) as OciConfig;
    Object.assign(config.linux.resources, resources);
    await host.files.replaceText(file, JSON.stringify(config));
  },
};

import { parseCpuList } from "../cpu-list.ts";
import type { Issue } from "../issue.ts";
import type { Lab } from "../lab.ts";

/** No quota is more than the CPUs that it is a quota of. */
export function cpuIssues(lab: Lab): Issue[] {
  return Object.entries(lab.domains).flatMap(([name, { cpus, cpuset }]) => {
    if (cpus === undefined || cpuset === undefined) return [];
    const size = parseCpuList(cpuset).length;
    return cpus <= size
      ? []
      : [{ path: ["domains", name, "cpus"], message: `${cpus} is more than the ${size} of its cpuset ${cpuset}` }];
  });
}

import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { PlatformName } from "../../model/lab.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import type { Undo, Workspace } from "../platform.ts";
import { domainPaths } from "./domain-paths.ts";
import { layerDevice } from "./layer-device.ts";
import { mountRoot } from "./layer.ts";
import { machineFacts } from "./machine-facts.ts";
import { ociConfig } from "./oci-config.ts";

/**
 * Makes the root and writes the configuration; nothing runs.
 * @param options.args the first process; by default the domain's services
 * @param options.fill as of `mountRoot`
 * @throws LabError when there is a domain of that name already, even a half-made one: `destroy` it first
 */
export async function prepareDomain(
  host: Host,
  workspace: Workspace,
  plan: Pick<LabPlan, "lab">,
  domain: DomainPlan,
  platform: PlatformName,
  { args, fill }: { args?: string[]; fill?: (directory: string) => Promise<void> } = {},
): Promise<void> {
  const paths = domainPaths(workspace, domain.name);
  const cgroup = `${workspace.cgroup}/${domain.name}`;
  if (await host.files.exists(paths.directory)) {
    throw new LabError(`domain ${domain.name} is there already`, { hint: `cloison down ${plan.lab}` });
  }
  const undos: Undo[] = [
    { kind: "directory", path: paths.directory },
    { kind: "mount", target: paths.layer },
    { kind: "mount", target: paths.root },
    { kind: "cgroup", group: cgroup },
    { kind: "domain", platform, lab: plan.lab, name: domain.name },
  ];
  await workspace.record(undos);
  await mountRoot(host, paths, workspace.rootfs(domain), domain, fill);
  await host.cgroups.ensure(workspace.cgroup);
  const limitsIo = Object.values(domain.limits.io).some((limit) => limit !== undefined);
  const config = ociConfig(
    domain,
    {
      ...(await machineFacts(host, workspace.cgroup)),
      rootPath: paths.root,
      networkNamespacePath: host.namespaces.path(domain.namespace),
      cgroupsPath: `/${cgroup}`,
      layerDevice: limitsIo ? await layerDevice(host, paths.layer) : null,
    },
    args,
  );
  await host.files.writeText(paths.config, JSON.stringify(config));
}

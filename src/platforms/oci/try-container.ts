import type { Host } from "../../host/host.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { PlatformName } from "../../model/lab.ts";
import type { DomainPlan } from "../../model/plan.ts";
import type { Support, Workspace } from "../platform.ts";
import { domainPaths } from "./domain-paths.ts";
import { prepareDomain } from "./prepare.ts";
import { forgetContainer, runContainer } from "./runtime.ts";
import { unmountRoot } from "./layer.ts";

/** A guest that does nothing takes some 50 ms. */
const TRIAL_DEADLINE_MS = 20_000;

/**
 * Runs `true` in a container with everything that a domain gets: overlay, limited layer, namespaces, limits, seccomp. Its
 * image is the machine's own /usr, which holds programs and libraries under the names that a root needs (`bin`, `lib`,
 * `lib64`) wherever these directories are merged, as on Debian since 12.
 */
export async function tryContainer(host: Host, platform: PlatformName, packages: string[]): Promise<Support> {
  // Two checks at once are two trials.
  const lab = `_check-${host.clock.nowMs().toString(36)}`;
  const workspace: Workspace = {
    directory: `/run/cloison/${lab}`,
    rootfs: () => "/usr",
    cgroup: `cloison/${lab}`,
    record: async () => undefined,
  };
  const domain = trialDomain(lab, host.machine.cpus.slice(0, 1));
  const paths = domainPaths(workspace, domain.name);
  try {
    await host.namespaces.create([domain.namespace]);
    await prepareDomain(host, workspace, { lab }, domain, platform, { args: ["/bin/true"] });
    await runContainer(host, lab, domain.name, paths);
    return { available: true, detail: "a container ran with its own namespaces and all limits" };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { available: false, reason: error.message, remedy: remedyOf(error, packages) };
  } finally {
    await host.cgroups.destroy(workspace.cgroup, TRIAL_DEADLINE_MS);
    await forgetContainer(host, lab, domain.name);
    await unmountRoot(host, paths);
    await host.files.remove(workspace.directory);
    await host.namespaces.remove([domain.namespace]);
  }
}

function remedyOf(error: LabError, packages: string[]): string {
  if (error.exit === ExitCode.unavailable) return `apt-get install ${packages.join(" ")}`;
  return error.hint ?? "the kernel's log (dmesg) may say more";
}

function trialDomain(lab: string, cpuset: number[]): DomainPlan {
  return {
    id: 1,
    name: "trial",
    members: ["trial"],
    hostname: "trial",
    namespace: `cloison.${lab}.trial`,
    image: "none",
    recipe: { base: "minbase", packages: [], files: {}, commands: [], services: {} },
    limits: {
      cpus: 0.5,
      cpuPeriodMs: 10,
      shares: 1024,
      cpuset,
      memoryBytes: 64 * 2 ** 20,
      pids: 16,
      diskBytes: 8 * 2 ** 20,
      io: {},
    },
    vifs: [],
    services: [],
    files: { "/cloison-trial": "" },
    workers: 0,
  };
}

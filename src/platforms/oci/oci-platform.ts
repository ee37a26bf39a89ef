import type { Host } from "../../host/host.ts";
import type { PlatformName } from "../../model/lab.ts";
import type { LabPlan } from "../../model/plan.ts";
import { readUsage } from "../cgroup-usage.ts";
import type { DomainState, Platform, Workspace } from "../platform.ts";
import { domainPaths } from "./domain-paths.ts";
import { execInContainer } from "./exec.ts";
import { unmountRoot } from "./layer.ts";
import { prepareDomain } from "./prepare.ts";
import { containerStates, endRuntime, forgetContainer, isKnown, runContainer } from "./runtime.ts";
import { limiting } from "./limiting.ts";
import { pausing } from "./pausing.ts";
import { ociLayers, ociSnapshots } from "./snapshots.ts";
import { tryContainer } from "./try-container.ts";

/** Killing all that runs in a domain takes milliseconds; a process in an uninterruptible wait may take its disk's time. */
const DESTROY_DEADLINE_MS = 20_000;

/** runc; mkfs.ext4; mount and losetup; findmnt. */
const PACKAGES = ["runc", "e2fsprogs", "mount", "util-linux"];

export interface OciPlatformOptions {
  name: PlatformName;
  merges: boolean;
}

/** A platform whose domains are OCI containers, run by runc. */
export function createOciPlatform({ name: platform, merges }: OciPlatformOptions): Platform {
  return {
    name: platform,
    merges,
    needsImages: true,
    packages: PACKAGES,
    check: (host) => tryContainer(host, platform, PACKAGES),
    list: (host, workspace, plan) => listDomains(host, workspace, plan),
    prepare: (host, workspace, plan, domain) => prepareDomain(host, workspace, plan, domain, platform),

    async start(host, workspace, plan, domain) {
      const paths = domainPaths(workspace, domain.name);
      // One whose first process ended is still known to the runtime. Most starts need not ask.
      if (await isKnown(host, plan.lab, domain.name)) {
        const state = (await containerStates(host, plan.lab)).find(({ id }) => id === domain.name);
        if (state?.status === "running" || state?.status === "paused") return;
        await endContainer(host, workspace, plan.lab, domain.name);
      }
      await runContainer(host, plan.lab, domain.name, paths);
    },

    async destroy(host, workspace, lab, name) {
      const paths = domainPaths(workspace, name);
      await endRuntime(host, paths);
      await endContainer(host, workspace, lab, name);
      await unmountRoot(host, paths);
      await host.files.remove(paths.directory);
    },

    exec: (host, workspace, plan, domain, argv, options = {}) =>
      execInContainer(host, workspace, plan.lab, domain, argv, options),
    logFile: (workspace, name) => domainPaths(workspace, name).log,
    usage: (host, workspace, name) => readUsage(host.cgroups, `${workspace.cgroup}/${name}`),
    limiting,
    pausing,
    snapshots: ociSnapshots(platform),
    layers: ociLayers(platform),
  };
}

async function endContainer(host: Host, workspace: Workspace, lab: string, name: string): Promise<void> {
  await host.cgroups.destroy(`${workspace.cgroup}/${name}`, DESTROY_DEADLINE_MS);
  await forgetContainer(host, lab, name);
}

async function listDomains(host: Host, workspace: Workspace, plan: LabPlan): Promise<DomainState[]> {
  const containers = new Map((await containerStates(host, plan.lab)).map((state) => [state.id, state]));
  const directories = await host.files.list(`${workspace.directory}/domains`);
  const planned = new Set(plan.domains.map(({ name }) => name));
  const names = [...new Set([...directories, ...containers.keys()])];
  return Promise.all(
    names.map(async (name): Promise<DomainState> => {
      const paths = domainPaths(workspace, name);
      const container = containers.get(name);
      const status = container?.status;
      const alive = status === "running" || status === "paused" ? status : null;
      // The configuration is written last; the root is empty unless it is mounted.
      const whole = (await host.files.exists(paths.config)) && (await host.files.list(paths.root)).length > 0;
      return {
        lab: plan.lab,
        name,
        // One that was left half-made is stopped, not prepared: it cannot be started.
        state: alive ?? (container === undefined && whole ? "prepared" : "stopped"),
        pid: alive === null ? null : (container?.pid ?? null),
        orphan: !planned.has(name),
      };
    }),
  );
}

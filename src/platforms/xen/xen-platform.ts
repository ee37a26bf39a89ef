import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { execInGuest } from "../guest/exec.ts";
import { GuestKernel } from "../guest/guest-kernel.ts";
import { guestLayers } from "../guest/guest-layers.ts";
import { guestUser } from "../guest/guest-user.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import type { DomainState, DomainUsage, Platform, Workspace } from "../platform.ts";
import { bootDomain } from "./boot.ts";
import { copyDisk } from "./copy-disk.ts";
import { describeEnd, guestOf, isServed } from "./domain-end.ts";
import { limiting } from "./limiting.ts";
import { xenPacking } from "./packing.ts";
import { pausing, power } from "./power.ts";
import { xenSnapshots } from "./snapshots.ts";
import { allDomains, endDomain, findDomain, type XenDomains } from "./toolstack.ts";
import { findNoXen, tryXen } from "./try-xen.ts";
import { labSockets, xenPaths } from "./xen-paths.ts";

const DESTROY_DEADLINE_MS = 20_000;

/** Serves disks and consoles; qemu-img; what is in the guest's initramfs; mke2fs. The hypervisor is not installed by the way. */
const PACKAGES = ["qemu-system-xen", "qemu-utils", "busybox-static", "e2fsprogs"];

/** How long a domain may take to tell what its kernel has counted. */
const ASK_MS = 10_000;

/** Where Xen's tools keep what they and QEMU say, a file for each domain and some older ones. */
const XEN_LOGS = "/var/log/xen";

/** Each domain is one of Xen's, paravirtual, with a kernel of its own. Runs in dom0. */
export function createXenPlatform(): Platform {
  return {
    name: "xen",
    merges: false,
    needsImages: true,
    ownKernels: true,
    bringsVifs: true,
    packages: PACKAGES,
    unfit: findNoXen,
    check: tryXen,
    list: listDomains,
    prepare: prepareDomain,

    async start(host, workspace, plan, domain) {
      const { uuid } = xenPaths(workspace, domain.name);
      const found = await findDomain(host, uuid);
      if (found !== null && found.state !== "ended") return;
      if (found !== null) await endDomain(host, uuid);
      await bootDomain(host, workspace, plan, domain);
    },

    destroy: destroyDomain,

    async exec(host, workspace, _plan, domain, argv, { user, ...options } = {}) {
      const as = user === undefined ? {} : { user: await guestUser(host, workspace, domain, user) };
      return execInGuest(host, guestOf(host, workspace, domain.name), argv, { ...options, ...as });
    },

    kernel: (host, workspace, name) => new GuestKernel(host, guestOf(host, workspace, name)),
    logFile: (workspace, name) => xenPaths(workspace, name).console,
    usage: readUsage,
    limiting,
    pausing,
    power,
    snapshots: xenSnapshots,
    packing: xenPacking,
    layers: guestLayers({ packages: [], paths: xenPaths, prepare: prepareDomain, copyDisk }),
  };
}

async function prepareDomain(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void> {
  if (Object.values(domain.limits.io).some((limit) => limit !== undefined)) {
    throw new LabError(`domains.${domain.name}.io: block I/O of Xen's domains is not limited`, {
      hint: "leave it out, or use platform: qemu or container",
    });
  }
  await prepareGuestFiles(host, workspace, plan, domain, xenPaths(workspace, domain.name));
}

async function destroyDomain(host: Host, workspace: Workspace, _lab: string, name: string): Promise<void> {
  const paths = xenPaths(workspace, name);
  await endDomain(host, paths.uuid);
  await host.cgroups.destroy(`${workspace.cgroup}/${name}`, DESTROY_DEADLINE_MS);
  host.mounts.unmount(paths.output, { lazy: true });
  await host.files.remove(paths.sockets);
  const sockets = labSockets(workspace);
  if ((await host.files.list(sockets)).length === 0) await host.files.remove(sockets);
  for (const file of await host.files.list(XEN_LOGS)) {
    const [, domain] = /^(?:xl|qemu-dm)-(.+)\.log(?:\.\d+)?$/.exec(file) ?? [];
    if (domain === paths.domain) await host.files.remove(`${XEN_LOGS}/${file}`);
  }
  await host.files.remove(paths.directory);
}

async function listDomains(host: Host, workspace: Workspace, plan: LabPlan): Promise<DomainState[]> {
  const planned = new Set(plan.domains.map(({ name }) => name));
  const names = await host.files.list(`${workspace.directory}/domains`);
  const domains: XenDomains = names.length === 0 ? new Map() : await allDomains(host);
  return Promise.all(
    names.map(async (name): Promise<DomainState> => {
      const paths = xenPaths(workspace, name);
      const pids = await host.cgroups.pids(`${workspace.cgroup}/${name}`);
      const found = domains.get(paths.uuid) ?? null;
      const common = { lab: plan.lab, name, pid: pids.at(0) ?? null, orphan: !planned.has(name) };
      const state = found === null || found.state === "ended" ? null : found.state;
      if (found !== null && state !== null && (await isServed(host, found.id, pids))) return { ...common, state };
      // Xen's tools come and go with it.
      if (state === null && pids.length > 0) return { ...common, state: "running" };
      // The disk is made last, the sockets when it is started.
      const isWhole = await host.files.exists(paths.disk);
      if (isWhole && !(await host.files.exists(paths.sockets))) return { ...common, state: "prepared" };
      const shutDown = await host.files.exists(paths.shutDown);
      return { ...common, pid: null, state: "stopped", detail: await describeEnd(host, paths), shutDown };
    }),
  );
}

/** CPU time is Xen's, in tenths of a second; whom the domain's kernel has killed for want of memory, it tells itself. */
async function readUsage(host: Host, workspace: Workspace, name: string): Promise<DomainUsage> {
  const found = await findDomain(host, xenPaths(workspace, name).uuid);
  const usage: DomainUsage = {
    cpuNs: found?.cpuNs ?? null,
    memoryPeakBytes: null,
    oomKills: null,
    pidsPeak: null,
    nrPeriods: null,
    nrThrottled: null,
    throttledNs: null,
  };
  if (found?.state !== "running") return usage;
  const guest = guestOf(host, workspace, name);
  const { stdout } = await execInGuest(host, guest, ["cat", "/proc/vmstat"], { timeoutMs: ASK_MS });
  const [, kills] = /^oom_kill (\d{1,9})$/m.exec(stdout) ?? [];
  return { ...usage, oomKills: kills === undefined ? null : Number(kills) };
}

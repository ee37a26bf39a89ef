import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { readUsage } from "../cgroup-usage.ts";
import { execInGuest } from "../guest/exec.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import { GuestKernel } from "../guest/guest-kernel.ts";
import { guestLayers } from "../guest/guest-layers.ts";
import { guestUser } from "../guest/guest-user.ts";
import type { DomainState, DomainUsage, Platform, Support, Workspace } from "../platform.ts";
import { chooseAccelerator, tryAccelerator } from "./accelerator.ts";
import { bootGuest } from "./boot.ts";
import { copyDisk } from "./copy-disk.ts";
import { limiting } from "./emulator-limits.ts";
import { describeEnd } from "./guest-end.ts";
import { guestOf, guestPaths, labSockets, type GuestPaths } from "./guest-paths.ts";
import { wakeGuest } from "./memory.ts";
import { askMonitor, statusOf } from "./monitor.ts";
import { qemuMoving } from "./moving.ts";
import { pausing, power } from "./power.ts";
import { qemuSnapshots } from "./snapshots.ts";

const DESTROY_DEADLINE_MS = 20_000;

/** QEMU; qemu-img; what is in the guest's initramfs; mke2fs; for kernels whose modules are compressed. */
const PACKAGES = ["qemu-system-x86", "qemu-utils", "busybox-static", "e2fsprogs", "xz-utils"];

/** How long a guest may take to tell what its kernel has counted. */
const ASK_MS = 10_000;

/** Each domain is a virtual machine with a kernel of its own, run by QEMU: full virtualization (TCG), or by KVM. */
export function createQemuPlatform(): Platform {
  return {
    name: "qemu",
    merges: false,
    needsImages: true,
    ownKernels: true,
    packages: PACKAGES,
    check: tryQemu,
    list: listDomains,
    prepare,

    async start(host, workspace, plan, domain) {
      const group = `${workspace.cgroup}/${domain.name}`;
      if ((await host.cgroups.pids(group)).length > 0) return;
      const { memory } = guestPaths(workspace, domain.name);
      if (!(await host.files.exists(memory))) return bootGuest(host, workspace, plan, domain);
      await wakeGuest(host, workspace, plan, domain, memory);
      await host.files.remove(memory);
    },

    async destroy(host, workspace, _lab, name) {
      const paths = guestPaths(workspace, name);
      await host.cgroups.destroy(`${workspace.cgroup}/${name}`, DESTROY_DEADLINE_MS);
      host.mounts.unmount(paths.output, { lazy: true });
      await host.files.remove(paths.sockets);
      const sockets = labSockets(workspace);
      if ((await host.files.list(sockets)).length === 0) await host.files.remove(sockets);
      await host.files.remove(paths.directory);
    },

    async exec(host, workspace, _plan, domain, argv, { user, ...options } = {}) {
      const as = user === undefined ? {} : { user: await guestUser(host, workspace, domain, user) };
      return execInGuest(host, guestOf(host, workspace, domain.name), argv, { ...options, ...as });
    },

    kernel: (host, workspace, name) => new GuestKernel(host, guestOf(host, workspace, name)),
    logFile: (workspace, name) => guestPaths(workspace, name).log,
    usage: readGuestUsage,
    limiting,
    pausing,
    power,
    snapshots: qemuSnapshots,
    layers: guestLayers({ packages: ["socat"], paths: guestPaths, prepare, copyDisk }),
    moving: qemuMoving,
    variant: (host, { domains }) => chooseAccelerator(host, domains[0]?.machine?.accel ?? "auto"),
  };
}

async function prepare(host: Host, workspace: Workspace, plan: LabPlan, domain: DomainPlan): Promise<void> {
  await prepareGuestFiles(host, workspace, plan, domain, guestPaths(workspace, domain.name));
}

async function tryQemu(host: Host): Promise<Support> {
  const kvm = await tryAccelerator(host, "kvm");
  if (kvm.works) return { available: true, detail: "a guest ran by KVM" };
  const tcg = await tryAccelerator(host, "tcg");
  if (tcg.works) {
    const notice = `virtual machines are emulated (TCG), which is slow: KVM runs none here (${kvm.reason})`;
    return { available: true, detail: `a guest ran; ${notice}`, notice };
  }
  return { available: false, reason: tcg.reason, remedy: `apt-get install ${PACKAGES.join(" ")}` };
}

async function listDomains(host: Host, workspace: Workspace, plan: LabPlan): Promise<DomainState[]> {
  const planned = new Set(plan.domains.map(({ name }) => name));
  const names = await host.files.list(`${workspace.directory}/domains`);
  return Promise.all(
    names.map(async (name): Promise<DomainState> => {
      const paths = guestPaths(workspace, name);
      // QEMU, and before it the shell that writes down how it ends.
      const pid = (await host.cgroups.pids(`${workspace.cgroup}/${name}`)).at(-1) ?? null;
      const common = { lab: plan.lab, name, pid, orphan: !planned.has(name) };
      if (pid !== null) return { ...common, ...(await runState(host, paths)) };
      // The disk is made last, the sockets when it is started.
      const isWhole = await host.files.exists(paths.disk);
      if (isWhole && !(await host.files.exists(paths.sockets))) return { ...common, state: "prepared" };
      const shutDown = await host.files.exists(paths.shutDown);
      return { ...common, state: "stopped", detail: await describeEnd(host, paths), shutDown };
    }),
  );
}

/** As its monitor says; one that cannot be asked is taken for what its process is. */
async function runState(host: Host, paths: GuestPaths): Promise<Pick<DomainState, "state" | "detail">> {
  try {
    const [answer] = (await askMonitor(host, paths, [{ execute: "query-status" }])) ?? [];
    const status = statusOf(answer);
    // The second: a snapshot of it was cut off in an unlucky moment.
    if (status === "paused" || status === "postmigrate") return { state: "paused" };
    if (status === "inmigrate") return { state: "paused", detail: "it waits for its memory, which another host sends" };
    if (status === "io-error") return { state: "paused", detail: DISK_FULL };
    return { state: "running" };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { state: "running", detail: error.message };
  }
}

const DISK_FULL = "its disk cannot be written: the machine's is full; make room and `cloison resume` it";

/** CPU time and memory are QEMU's; whom the guest's kernel has killed for want of memory, it tells itself. */
async function readGuestUsage(host: Host, workspace: Workspace, name: string): Promise<DomainUsage> {
  const group = `${workspace.cgroup}/${name}`;
  const usage = await readUsage(host.cgroups, group);
  const own = { ...usage, pidsPeak: null };
  if ((await host.cgroups.pids(group)).length === 0) return own;
  // One that stands still tells nothing.
  if ((await runState(host, guestPaths(workspace, name))).state === "paused") return { ...own, oomKills: null };
  const { stdout } = await execInGuest(host, guestOf(host, workspace, name), ["cat", "/proc/vmstat"], {
    timeoutMs: ASK_MS,
  });
  const [, kills] = /^oom_kill (\d{1,9})$/m.exec(stdout) ?? [];
  return { ...own, oomKills: kills === undefined ? null : Number(kills) + (usage.oomKills ?? 0) };
}

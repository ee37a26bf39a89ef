import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import {
  baseOf,
  copy,
  processorModel,
  putDisk,
  readSavedMachine,
  requireAlike,
  requireSameBase,
  toldTo,
  writeSavedMachine,
  type SavedHardware,
} from "../guest/saved-machine.ts";
import type { Snapshots, Workspace } from "../platform.ts";
import { chooseAccelerator } from "./accelerator.ts";
import { emulatorArguments } from "./boot.ts";
import { copyDisk, runs } from "./copy-disk.ts";
import { guestPaths, type GuestPaths } from "./guest-paths.ts";
import { saveMemory } from "./memory.ts";
import { askMonitor } from "./monitor.ts";
import type { Accelerator } from "./qemu-arguments.ts";
import { whileStopped } from "./while-stopped.ts";

const DISK = "disk.qcow2";
const MEMORY = "memory.zst";

/** What is a virtual machine's own is what it wrote over its image's disk; and its memory, while it runs. */
export const qemuSnapshots: Snapshots = {
  packages: ["socat", "zstd", "qemu-utils"],

  async save(host, workspace, plan, domain, directory, { memory, signal }) {
    const paths = guestPaths(workspace, domain.name);
    const base = await baseOf(host, workspace, domain);
    const disk = `${directory}/${DISK}`;
    if (!memory || !(await runs(host, workspace, domain.name))) {
      await copyDisk(host, workspace, domain.name, disk, signal);
      await writeSavedMachine(host, directory, { base, memory: null });
      return { memory: false };
    }
    await whileStopped(host, domain.name, paths, async () => {
      await saveMemory(host, domain.name, paths, `${directory}/${MEMORY}`, signal);
      await copy(host, paths.disk, disk, signal);
    });
    const hardware = await runningHardware(host, workspace, plan, domain, paths);
    await writeSavedMachine(host, directory, { base, memory: hardware });
    return { memory: true };
  },

  async requireFitting(host, workspace, plan, domain, directory, { memory }) {
    const saved = await readSavedMachine(host, directory);
    await requireSameBase(host, workspace, domain, saved);
    if (!memory || saved.memory === null) return;
    requireAlike(domain.name, saved.memory, await plannedHardware(host, workspace, plan, domain));
  },

  async prepare(host, workspace, plan, domain, directory, { memory }) {
    const paths = guestPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, paths);
    await putDisk(host, workspace, domain, `${directory}/${DISK}`, paths.disk);
    if (memory) await copy(host, `${directory}/${MEMORY}`, paths.memory);
  },
};

/** Of a QEMU that runs, which may be of an earlier version than the one that is installed. */
async function runningHardware(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  paths: GuestPaths,
): Promise<SavedHardware> {
  const [kvm, type] =
    (await askMonitor(host, paths, [
      { execute: "query-kvm" },
      { execute: "qom-get", arguments: { path: "/machine", property: "type" } },
    ])) ?? [];
  const isKvm = typeof kvm === "object" && kvm !== null && "enabled" in kvm && kvm.enabled === true;
  if (typeof type !== "string") throw new LabError("QEMU does not say which machine it is");
  return {
    machine: type.replace(/-machine$/, ""),
    ...(await seen(host, workspace, plan, domain, isKvm ? "kvm" : "tcg")),
  };
}

async function plannedHardware(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
): Promise<SavedHardware> {
  const types = await host.processes.must({ argv: ["qemu-system-x86_64", "-machine", "help"] });
  const [, machine] = /^q35 .*\(alias of (\S+)\)$/m.exec(types) ?? [];
  if (machine === undefined) throw new LabError("QEMU does not say which machine its q35 is");
  const accelerator = await chooseAccelerator(host, domain.machine?.accel ?? "auto");
  return { machine, ...(await seen(host, workspace, plan, domain, accelerator)) };
}

async function seen(
  host: Host,
  workspace: Workspace,
  plan: LabPlan,
  domain: DomainPlan,
  accelerator: Accelerator,
): Promise<Omit<SavedHardware, "machine">> {
  return {
    processor: accelerator === "kvm" ? await processorModel(host) : "emulated",
    hardware: hardwareOf(emulatorArguments(workspace, plan, domain, accelerator)),
    told: toldTo(plan, domain),
  };
}

/** Options of QEMU's command line that a guest sees. */
const SEEN = new Set(["-cpu", "-smp", "-m", "-device"]);

export function hardwareOf(argv: readonly string[]): string[] {
  return argv.flatMap((word, i) => (SEEN.has(word) ? [`${word} ${argv[i + 1] ?? ""}`] : []));
}

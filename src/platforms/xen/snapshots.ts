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
import type { Snapshots } from "../platform.ts";
import { copyDisk, copyWithMemory } from "./copy-disk.ts";
import { findDomain } from "./toolstack.ts";
import { xenPaths } from "./xen-paths.ts";
import { mebibytes } from "./xl-config.ts";

const DISK = "disk.qcow2";
const MEMORY = "memory";

/** What is a domain's own is what it wrote over its image's disk; and its memory, while it runs. */
export const xenSnapshots: Snapshots = {
  packages: ["qemu-utils"],

  async save(host, workspace, plan, domain, directory, { memory, signal }) {
    const paths = xenPaths(workspace, domain.name);
    const base = await baseOf(host, workspace, domain);
    const disk = `${directory}/${DISK}`;
    const found = memory ? await findDomain(host, paths.uuid) : null;
    if (found === null || found.state === "ended") {
      await copyDisk(host, workspace, domain.name, disk, signal);
      await writeSavedMachine(host, directory, { base, memory: null });
      return { memory: false };
    }
    if (found.state === "paused") {
      throw new LabError(`domain ${domain.name} is paused, and Xen takes a domain's memory with its own help`, {
        hint: `cloison resume ${plan.lab} ${domain.name}, or --disk-only`,
      });
    }
    const to = { disk, memory: `${directory}/${MEMORY}` };
    await copyWithMemory(host, domain.name, found.id, paths.disk, to, { goesOn: true, signal });
    await writeSavedMachine(host, directory, { base, memory: await hardwareOf(host, plan, domain) });
    return { memory: true };
  },

  async requireFitting(host, workspace, plan, domain, directory, { memory }) {
    const saved = await readSavedMachine(host, directory);
    await requireSameBase(host, workspace, domain, saved);
    if (memory && saved.memory !== null) {
      requireAlike(domain.name, saved.memory, await hardwareOf(host, plan, domain));
    }
  },

  async prepare(host, workspace, plan, domain, directory, { memory }) {
    const paths = xenPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, paths);
    await putDisk(host, workspace, domain, `${directory}/${DISK}`, paths.disk);
    if (memory) await copy(host, `${directory}/${MEMORY}`, paths.memory);
  },
};

/** What a domain sees of what xl is told. */
export async function hardwareOf(host: Host, plan: LabPlan, domain: DomainPlan): Promise<SavedHardware> {
  const { limits, machine, vifs } = domain;
  return {
    machine: "xen-pv",
    processor: await processorModel(host),
    hardware: [`vcpus ${machine?.vcpus ?? 1}`, `memory ${mebibytes(limits)}M`, ...vifs.map(({ mac }) => `vif ${mac}`)],
    told: toldTo(plan, domain),
  };
}

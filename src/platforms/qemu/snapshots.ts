import { prepareGuestFiles } from "../guest/prepare-files.ts";
import {
  baseOf,
  copy,
  putDisk,
  readSavedMachine,
  requireAlike,
  requireSameBase,
  writeSavedMachine,
} from "../guest/saved-machine.ts";
import type { Snapshots } from "../platform.ts";
import { copyDisk, runs } from "./copy-disk.ts";
import { guestPaths } from "./guest-paths.ts";
import { plannedHardware, runningHardware } from "./machine-hardware.ts";
import { saveMemory } from "./memory.ts";
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
    const hardware = await runningHardware(host, workspace, plan, domain);
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

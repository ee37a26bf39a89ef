import { DISK_LAYER_PACKAGES, fillFromLayer, saveLayer } from "../guest/disk-layer.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import type { Layers } from "../platform.ts";
import { copyDisk } from "./copy-disk.ts";
import { guestPaths } from "./guest-paths.ts";

/** What a virtual machine wrote over its image's disk, block by block, as files, and back. */
export const qemuLayers: Layers = {
  packages: [...DISK_LAYER_PACKAGES, "socat"],

  async save(host, workspace, _plan, domain, file, signal) {
    const disk = `${file}.qcow2`;
    try {
      await copyDisk(host, workspace, domain.name, disk, signal);
      const rootfs = workspace.rootfs(domain);
      await saveLayer(host, { name: domain.name, rootfs, disk, file, work: `${file}.work`, signal });
    } finally {
      await host.files.remove(disk);
    }
  },

  async prepare(host, workspace, plan, domain, file) {
    const { directory, disk } = guestPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, guestPaths(workspace, domain.name));
    const rootfs = workspace.rootfs(domain);
    await fillFromLayer(host, { name: domain.name, rootfs, disk, file, work: `${directory}/layer` });
  },
};

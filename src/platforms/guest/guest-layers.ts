import type { Host } from "../../host/host.ts";
import type { Layers, Platform, Workspace } from "../platform.ts";
import { DISK_LAYER_PACKAGES, fillFromLayer, saveLayer } from "./disk-layer.ts";
import type { GuestFiles } from "./guest-files.ts";

/** What a platform of virtual machines has for it. */
interface OfPlatform {
  packages: string[];
  paths(workspace: Workspace, name: string): GuestFiles;
  prepare: Platform["prepare"];
  copyDisk(host: Host, workspace: Workspace, name: string, to: string, signal?: AbortSignal): Promise<void>;
}

/** What a virtual machine wrote over its image's disk, block by block, as files, and back. */
export function guestLayers({ packages, paths, prepare, copyDisk }: OfPlatform): Layers {
  return {
    packages: [...DISK_LAYER_PACKAGES, ...packages],

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
      await prepare(host, workspace, plan, domain);
      const { directory, disk } = paths(workspace, domain.name);
      const rootfs = workspace.rootfs(domain);
      await fillFromLayer(host, { name: domain.name, rootfs, disk, file, work: `${directory}/layer` });
    },
  };
}

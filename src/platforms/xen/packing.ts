import * as z from "zod";
import type { Host } from "../../host/host.ts";
import { machineForm } from "../../model/machine-form.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import { hardwareSchema, requireAlikeHere } from "../guest/saved-machine.ts";
import type { Packing } from "../platform.ts";
import { copyWithMemory } from "./copy-disk.ts";
import { hardwareOf } from "./snapshots.ts";
import { requireDomain } from "./toolstack.ts";
import { xenPaths } from "./xen-paths.ts";

const DISK = "disk.qcow2";
const MEMORY = "memory";

const infoSchema = z.looseObject({ "virtual-size": z.number() });

/** A domain of Xen as a file: its memory, as `xl save` writes it, and all of its disk, as the one below is another's at each host. */
export const xenPacking: Packing = {
  packages: ["qemu-utils", "tar", "zstd"],

  async describe(host, workspace, plan, domain) {
    const { disk } = xenPaths(workspace, domain.name);
    const sizeBytes = await sizeOf(host, disk);
    return {
      sizeBytes,
      // Packed, taken apart, and put in its place.
      roomBytes: 2 * (sizeBytes + domain.limits.memoryBytes),
      traits: await hardwareOf(host, plan, domain),
    };
  },

  async requireFitting(host, _workspace, plan, domain, { traits }) {
    requireAlikeHere(domain.name, hardwareSchema.parse(traits), await hardwareOf(host, plan, domain));
  },

  async pack(host, workspace, _plan, domain, file, signal) {
    const paths = xenPaths(workspace, domain.name);
    const { id } = await requireDomain(host, domain.name, paths.uuid);
    const folder = `${file}.parts`;
    const run = signal === undefined ? {} : { signal };
    await host.files.makeDirectory(folder);
    try {
      const above = `${folder}/above.qcow2`;
      const to = { disk: above, memory: `${folder}/${MEMORY}` };
      await copyWithMemory(host, domain.name, id, paths.disk, to, { goesOn: false, signal });
      const convert = ["qemu-img", "convert", "-q", "-O", "qcow2", above, `${folder}/${DISK}`] as const;
      await host.processes.must({ argv: [...convert], ...run });
      const tar = ["tar", "--create", "--zstd", `--file=${file}`, `--directory=${folder}`, DISK, MEMORY] as const;
      await host.processes.must({ argv: [...tar], ...run });
    } finally {
      await host.files.remove(folder);
    }
  },

  async prepare(host, workspace, plan, domain, file) {
    const paths = xenPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, paths);
    const { disk: below } = machineForm(workspace.rootfs(domain), domain.limits.diskBytes);
    const folder = `${file}.parts`;
    await host.files.makeDirectory(folder);
    try {
      await host.processes.must({ argv: ["tar", "--extract", "--zstd", `--file=${file}`, `--directory=${folder}`] });
      const disk = `${folder}/${DISK}`;
      const create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", below, paths.disk] as const;
      await host.processes.must({ argv: [...create, `${await sizeOf(host, disk)}`] });
      // Also what is nothing but zeros is written: nothing of the image below shows through.
      await host.processes.must({ argv: ["qemu-img", "convert", "-q", "-n", "-O", "qcow2", disk, paths.disk] });
      await host.processes.must({ argv: ["mv", `${folder}/${MEMORY}`, paths.memory] });
    } finally {
      await host.files.remove(folder);
    }
  },
};

async function sizeOf(host: Host, disk: string): Promise<number> {
  const text = await host.processes.must({ argv: ["qemu-img", "info", "--force-share", "--output=json", disk] });
  return infoSchema.parse(JSON.parse(text))["virtual-size"];
}

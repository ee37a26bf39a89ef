import * as z from "zod";
import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { Import } from "./import-image.ts";
import { COPY_TREE } from "./import-scripts.ts";
import { sandboxed } from "./sandbox.ts";

const infoSchema = z.object({
  "backing-filename": z.string().optional(),
  "format-specific": z.object({ data: z.object({ "data-file": z.string().optional() }).optional() }).optional(),
});
const tableSchema = z.object({
  partitiontable: z.object({
    sectorsize: z.number().default(512),
    partitions: z.array(z.object({ start: z.number(), size: z.number() })).default([]),
  }),
});

/** Part of a disk, in bytes; a size of 0 is all of it. */
export interface DiskPart {
  offset: number;
  size: number;
}

/** File systems that are mounted; others (swap, LVM, encrypted ones) are passed over. */
const FILE_SYSTEMS = ["ext2", "ext3", "ext4", "xfs", "btrfs"];

/**
 * Copies the root file system of a qcow2 disk into the import's root. What is mounted is a private copy, without devices or
 * set-uid programs, in a mount namespace that ends with the copying.
 */
export async function importDisk(host: Host, of: Import): Promise<void> {
  const run = of.signal === undefined ? {} : { signal: of.signal };
  const info = await host.processes.run({
    argv: ["qemu-img", "info", "--output=json", "-f", "qcow2", of.source],
    ...run,
  });
  if (info.code !== 0) throw refused(of, "qemu-img cannot read it");
  const facts = infoSchema.parse(JSON.parse(info.stdout));
  const other = facts["backing-filename"] ?? facts["format-specific"]?.data?.["data-file"];
  if (other !== undefined) throw refused(of, `it is a part of another file, ${other}`);

  of.onProgress(`image ${of.name}: reading the disk`);
  const disk = `${of.directory}/disk.raw`;
  const argv = ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", of.source, disk] as [string, ...string[]];
  const converted = await host.processes.run({ argv, ...run });
  if (converted.code !== 0) throw of.failed("qemu-img", converted);

  const table = await host.processes.run({ argv: ["sfdisk", "--json", disk], ...run });
  const seen: string[] = [];
  for (const part of partsOf(table.code === 0 ? table.stdout : "")) {
    const type = await typeOf(host, disk, part);
    seen.push(type === "" ? "nothing that is known" : type);
    if (FILE_SYSTEMS.includes(type) && (await copyRoot(host, of, disk, part, type))) {
      await host.files.remove(disk);
      return;
    }
  }
  throw refused(of, `it has no root file system (${seen.join(", ")})`);
}

/** @param json what `sfdisk --json` prints; empty: there is no partition table */
export function partsOf(json: string): DiskPart[] {
  if (json === "") return [{ offset: 0, size: 0 }];
  const { sectorsize, partitions } = tableSchema.parse(JSON.parse(json)).partitiontable;
  const parts = partitions.map(({ start, size }) => ({ offset: start * sectorsize, size: size * sectorsize }));
  // The root is most often the largest.
  return parts.toSorted((a, b) => b.size - a.size);
}

async function typeOf(host: Host, disk: string, { offset, size }: DiskPart): Promise<string> {
  const limits = size === 0 ? [] : ["-O", `${offset}`, "-S", `${size}`];
  // Exits with 2 when it finds nothing.
  const { stdout } = await host.processes.run({
    argv: ["blkid", "-p", ...limits, "-s", "TYPE", "-o", "value", disk],
  });
  return stdout.trim();
}

/** Mounts the part and, if there is a system on it, copies it; false: there is none. */
async function copyRoot(host: Host, of: Import, disk: string, part: DiskPart, type: string): Promise<boolean> {
  const options = ["loop", "nosuid", "nodev", "noexec", `offset=${part.offset}`];
  if (part.size > 0) options.push(`sizelimit=${part.size}`);
  const mountPoint = `${of.directory}/disk`;
  await host.files.makeDirectory(mountPoint);
  const { argv } = sandboxed(
    { directory: of.sandbox, target: of.rootfs, source: mountPoint },
    `[ -e /source/bin/sh ] || [ -L /source/bin/sh ] || [ -e /source/usr/bin/sh ] || exit 9\n${COPY_TREE}`,
  );
  const mounting = 'mount -t "$1" -o "$2" "$3" "$4"; shift 4; exec "$@"';
  const done = await host.processes.run({
    argv: [
      ...(["unshare", "--mount", "sh", "-ec", mounting, "mount", type, options.join(","), disk, mountPoint] as const),
      ...argv,
    ],
    ...(of.signal === undefined ? {} : { signal: of.signal }),
  });
  if (done.code === 0) return true;
  if (done.code === 9) return false;
  throw of.failed("copying the disk", done);
}

function refused({ name, source }: Import, why: string): LabError {
  return new LabError(`image ${name}: ${source} cannot be imported: ${why}`, {
    hint: "a disk with one system on an ext4, xfs or btrfs file system can be; `qemu-img convert` makes one file of a chain",
  });
}

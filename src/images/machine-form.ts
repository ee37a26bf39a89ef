import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { machineForm, roomMiB } from "../model/machine-form.ts";
import type { GuestKernel } from "./guest-kernel.ts";
import { takeLock } from "./image-store.ts";

export interface MachineFormOptions {
  /** For messages. */
  name: string;
  /** Folder of the image's root file system, which has been verified. */
  rootfs: string;
  /** For what a domain writes; null: no limit of its own. */
  roomBytes: number | null;
  kernel: GuestKernel;
  onProgress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Smaller ones have no room for what a system writes while it starts. */
const LEAST_ROOM_BYTES = 8 * 2 ** 20;

/** Of ext4's own tables, in MiB and as a part of the content. */
const TABLES_MIB = 32;
const TABLES_PART = 0.08;
const BYTES_PER_INODE = 16_384;

/**
 * Gives an image the form that a machine boots: a kernel, an initramfs, and a disk with a file system of its content. Made
 * once for each size; a disk that was changed since is made again.
 * @throws LabError when the disk is full, or the domain's too small
 */
export async function ensureMachineForm(host: Host, options: MachineFormOptions): Promise<void> {
  const { name, rootfs, roomBytes, kernel, onProgress, signal } = options;
  if (roomBytes !== null && roomBytes < LEAST_ROOM_BYTES) {
    throw new LabError(`a disk of ${roomBytes} bytes for image ${name} is too small for a virtual machine`, {
      hint: "write a disk of 8M or more: it is what the domain may write beside the image's content",
    });
  }
  const form = machineForm(rootfs, roomBytes);
  await host.files.makeDirectory(form.directory);
  const lock = await takeLock(host, `${form.directory}/lock`, {
    signal,
    onWait: () => onProgress(`image ${name}: waiting for another to make its disk`),
  });
  try {
    for (const [from, to] of [
      [kernel.kernel, form.kernel],
      [kernel.initramfs, form.initramfs],
    ] as const) {
      // Beside and renamed: a machine that starts now finds the old or the new.
      await host.processes.must({
        argv: [
          "sh",
          "-euc",
          'cmp -s "$1" "$2" && exit 0; ln -f "$1" "$2.new" 2>/dev/null || cp "$1" "$2.new"; mv -f "$2.new" "$2"',
          "place",
          from,
          to,
        ],
      });
    }
    const stampFile = `${form.disk}.stamp`;
    const stamp = await host.files.stamp(form.disk);
    if (stamp !== null && stamp === (await host.files.readTextIfExists(stampFile))) return;
    onProgress(
      stamp === null ? `image ${name}: making its disk` : `image ${name}: its disk was changed, and is made anew`,
    );
    await host.files.remove(stampFile);
    const { sizeMiB, inodes } = await measure(host, rootfs, roomMiB(roomBytes));
    const beside = `${form.disk}.new`;
    await host.files.remove(beside);
    try {
      await host.processes.must({
        argv: [
          "mke2fs",
          "-q",
          "-t",
          "ext4",
          "-F",
          "-m",
          "0",
          "-N",
          `${inodes}`,
          // A domain's disk lives as long as the domain: it needs no journal.
          "-O",
          "^has_journal,^resize_inode",
          "-E",
          "lazy_itable_init=1,nodiscard,root_owner=0:0",
          "-d",
          rootfs,
          beside,
          `${sizeMiB}M`,
        ],
        ...(signal === undefined ? {} : { signal }),
      });
      await host.files.rename(beside, form.disk);
    } finally {
      await host.files.remove(beside);
    }
    await host.files.replaceText(stampFile, (await host.files.stamp(form.disk)) ?? "");
  } finally {
    lock.release();
  }
}

async function measure(host: Host, rootfs: string, room: number): Promise<{ sizeMiB: number; inodes: number }> {
  const used = await host.processes.must({ argv: ["du", "-s", "-x", "--block-size=1M", rootfs] });
  const files = await host.processes.must({ argv: ["du", "-s", "-x", "--inodes", rootfs] });
  const contentMiB = Number.parseInt(used, 10);
  const inodes = Math.ceil(Number.parseInt(files, 10) * 1.1) + Math.ceil((room * 2 ** 20) / BYTES_PER_INODE) + 64;
  // 256 bytes each (mke2fs.conf).
  const tablesMiB = TABLES_MIB + Math.ceil((inodes * 256) / 2 ** 20);
  return { sizeMiB: contentMiB + Math.ceil(contentMiB * TABLES_PART) + tablesMiB + room, inodes };
}

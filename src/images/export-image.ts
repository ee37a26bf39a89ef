import { basename, dirname } from "node:path";
import type { Command, Finished, Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { isDiskFull } from "./disk-full.ts";
import { exportArchive, exportSquashfs } from "./export-archive.ts";
import { exportDisk } from "./export-disk.ts";
import { digest } from "./image-key.ts";
import { storePaths } from "./image-store.ts";

export const EXPORT_FORMATS = ["tar", "squashfs", "qcow2", "raw"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Programs of Debian packages that each format needs. */
export const EXPORT_PACKAGES: Record<ExportFormat, string[]> = {
  tar: ["tar", "gzip", "xz-utils", "zstd"],
  squashfs: ["squashfs-tools"],
  raw: ["e2fsprogs", "fdisk"],
  qcow2: ["e2fsprogs", "fdisk", "qemu-utils"],
};

/** GRUB for a machine's BIOS. Paths of files that the image's own GRUB has made. */
export interface Loader {
  first: string;
  rest: string;
}

export interface ExportRequest {
  store: string;
  name: string;
  key: string;
  rootfs: string;
  format: ExportFormat;
  /** Absolute. */
  file: string;
  /** Of a disk; and what would surely do, for who has asked for less. */
  fileSystemBytes: number;
  ampleBytes: number;
  swapBytes: number | null;
  /** Of a disk that boots by itself. */
  loader?: Loader;
  /** What fills a disk is run by this: the root file system may be more than a folder. */
  within?(argv: Command["argv"]): Command["argv"];
  signal?: AbortSignal | undefined;
  /** The error that a program's end comes to. */
  failed(program: string, finished: Finished): LabError;
}

/** What the caller knows; the rest is made here. */
export type Export = Omit<ExportRequest, "failed">;

/** The format that a file's name ends in; null: none that is known. */
export function formatOf(file: string): ExportFormat | null {
  if (/\.(tar|tar\.gz|tgz|tar\.xz|tar\.zst)$/.test(file)) return "tar";
  if (/\.(squashfs|sqfs)$/.test(file)) return "squashfs";
  if (/\.(raw|img)$/.test(file)) return "raw";
  return file.endsWith(".qcow2") ? "qcow2" : null;
}

/**
 * Writes an image as one file, which is there whole or not at all: made beside, synced, renamed.
 * @throws LabError: a full disk, an interruption, a disk that is too small; nothing is left then
 */
export async function exportImage(host: Host, wanted: Export): Promise<{ bytes: number }> {
  const { file, format, store, signal } = wanted;
  const lockFile = storePaths(store).lock(`export-${digest(file).slice(0, 16)}`);
  const lock = host.tryLock(lockFile);
  if (lock === null) {
    throw new LabError(`another cloison is writing ${file}`, { hint: "wait for it to end", exit: ExitCode.busy });
  }
  // The same for each attempt, so that what a crash left is written over.
  const beside = `${dirname(file)}/.${basename(file)}.cloison-part`;
  const request: ExportRequest = { ...wanted, failed: (program, finished) => failure(file, program, finished) };
  try {
    await host.files.remove(beside);
    await write(host, request, beside);
    signal?.throwIfAborted();
    await host.processes.must({ argv: ["sync", beside] });
    const size = await host.processes.must({ argv: ["stat", "--format=%s", beside] });
    await host.files.rename(beside, file);
    await host.processes.must({ argv: ["sync", dirname(file)] });
    return { bytes: Number(size) };
  } catch (error) {
    if (signal?.aborted) {
      throw new LabError(`interrupted: ${file} was not written`, { exit: ExitCode.interrupted, cause: error });
    }
    if (error instanceof Error && isDiskFull(error.message) && !(error instanceof DiskFull)) throw new DiskFull(file);
    throw error;
  } finally {
    for (const left of [beside, `${beside}.raw`, `${beside}.swap`, `${beside}.raw.swap`]) await host.files.remove(left);
    await host.files.remove(lockFile);
    lock.release();
  }

  async function write(machine: Host, of: ExportRequest, part: string): Promise<void> {
    switch (format) {
      case "tar":
        return exportArchive(machine, of, part);
      case "squashfs":
        return exportSquashfs(machine, of, part);
      case "raw":
        return exportDisk(machine, of, part);
      case "qcow2": {
        await exportDisk(machine, of, `${part}.raw`);
        const argv: Command["argv"] = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2", `${part}.raw`, part];
        const done = await machine.processes.run({ argv, ...(signal === undefined ? {} : { signal }) });
        if (done.code !== 0) throw of.failed("qemu-img", done);
      }
    }
  }
}

class DiskFull extends LabError {
  constructor(file: string) {
    super(`no space left for ${file}`, { hint: "make room there, or write it elsewhere; nothing of it is left" });
  }
}

function failure(file: string, program: string, { stdout, stderr, code, signal }: Finished): LabError {
  const said = `${stdout}\n${stderr}`;
  if (isDiskFull(said)) return new DiskFull(file);
  const tail = said.trim().split("\n").slice(-4).join("\n");
  return new LabError(`${file} was not written: ${program} ended with ${signal ?? `exit ${code}`}\n${tail}`);
}

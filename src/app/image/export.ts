import { resolve } from "node:path";
import { diskBytes } from "../../images/disk-size.ts";
import { EXPORT_PACKAGES, exportImage, formatOf, type ExportFormat } from "../../images/export-image.ts";
import { storePaths, takeLock } from "../../images/image-store.ts";
import { imageStore } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { showImage } from "./list.ts";

export type { ExportFormat };

export interface ExportOptions {
  /** Default: what the file's name ends in. */
  format?: ExportFormat;
  sizeBytes?: number;
  /** A file that is there is replaced. */
  force: boolean;
  signal?: AbortSignal;
  onProgress?: (line: string) => void;
}

export interface Exported {
  file: string;
  format: ExportFormat;
  bytes: number;
  key: string;
}

/** Writes a built image as one file. */
export async function exportNamed(
  app: AppContext,
  name: string,
  file: string,
  { signal, onProgress, ...options }: ExportOptions,
): Promise<Exported> {
  const store = imageStore(app.paths);
  const absolute = resolve(app.workingDirectory, file);
  const { image, manifest, state, directory } = await showImage(app, name);
  const format = options.format ?? formatOf(file);
  if (format === null) {
    throw new LabError(`${file} does not say which format is meant`, {
      hint: "end it in .tar, .tar.gz, .tar.xz, .tar.zst, .squashfs, .qcow2 or .raw, or say --format",
      exit: ExitCode.usage,
    });
  }
  const isDisk = format === "raw" || format === "qcow2";
  if (options.sizeBytes !== undefined && !isDisk) {
    throw new LabError(`${format} has no size of its own`, { hint: "leave --size out", exit: ExitCode.usage });
  }
  const kind = await app.host.files.kind(absolute);
  if (kind === "directory" || (kind !== null && !options.force)) {
    throw new LabError(`${file} is there already`, { hint: "take another name, or say --force", exit: ExitCode.usage });
  }
  if (manifest === null || directory === null || image.key === null) {
    throw new LabError(`image ${name} cannot be exported: it is ${state}`, {
      hint:
        image.recipe.imported === undefined
          ? `cloison image build ${name}`
          : `cloison image import --replace ${name} SOURCE`,
    });
  }
  const ampleBytes = diskBytes(name, manifest, null);
  const fileSystemBytes = isDisk ? diskBytes(name, manifest, options.sizeBytes ?? image.sizeBytes) : 0;
  requireRoot(app, "image export");
  await requirePackages(app, EXPORT_PACKAGES[format]);
  // Whoever removes images spares those that are held.
  const lock = await takeLock(app.host, storePaths(store).lock(image.key), {
    signal,
    onWait: () => onProgress?.(`image ${name}: waiting for another command that uses it`),
  });
  try {
    onProgress?.(`writing ${file}`);
    const { key } = image;
    const about = {
      store,
      name,
      key,
      rootfs: directory,
      format,
      file: absolute,
      fileSystemBytes,
      ampleBytes,
      swapBytes: image.swapBytes,
    };
    const { bytes } = await exportImage(app.host, { ...about, signal });
    return { file, format, bytes, key };
  } finally {
    lock.release();
  }
}

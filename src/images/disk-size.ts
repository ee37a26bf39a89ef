import { ExitCode, LabError } from "../model/error.ts";
import { formatBytes } from "../model/units.ts";
import type { ImageManifest } from "./image-manifest.ts";

const MIB = 2 ** 20;
/** ext4's block, and its inode as mke2fs makes it. */
const BLOCK_BYTES = 4096;
const INODE_BYTES = 256;

/** Room to work in, of a disk whose size nobody has said. */
const SPARE_BYTES = 64 * MIB;

/** What the content takes at least on an ext4 disk: files fill their last block to half on average, and each has an inode. */
function leastBytes({ bytes, files }: Pick<ImageManifest, "bytes" | "files">): number {
  return bytes + files * (BLOCK_BYTES / 2 + INODE_BYTES);
}

/**
 * Size of the file system of an image's disk, in whole MiB.
 * @param wantedBytes null: what the content needs, a quarter and 64 MiB more
 * @throws LabError when the content is larger
 */
export function diskBytes(name: string, manifest: ImageManifest, wantedBytes: number | null): number {
  const least = leastBytes(manifest);
  const ample = Math.ceil((least * 1.25 + SPARE_BYTES) / MIB) * MIB;
  if (wantedBytes === null) return ample;
  if (wantedBytes < least) throw tooSmall(name, wantedBytes, ample);
  return Math.floor(wantedBytes / MIB) * MIB;
}

/** Also when mke2fs finds so itself: its own tables take more in some than in others. */
export function tooSmall(name: string, bytes: number, ampleBytes: number): LabError {
  return new LabError(`image ${name} does not fit on a disk of ${formatBytes(bytes)}`, {
    hint: `give it ${formatBytes(ampleBytes)}: --size ${formatBytes(ampleBytes)}, or size in the image's file`,
    exit: ExitCode.usage,
  });
}

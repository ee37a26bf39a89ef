import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { encodeSamples, type LabelledSamples } from "./encode-samples.ts";

/**
 * Writes one trial's requests to `path` (`samples/<trial>.parquet`). Whoever finds that name finds the whole file, also
 * after a crash: it is written beside as `<path>.partial`, synced, renamed, and the folder synced. A `.partial` that a
 * crash left is overwritten by the next attempt. Throws what the file system says, and leaves nothing behind then.
 */
export async function writeSamples(path: string, readings: readonly LabelledSamples[]): Promise<void> {
  const bytes = await encodeSamples(readings);
  const partial = `${path}.partial`;
  try {
    await writeSynced(partial, bytes);
    await rename(partial, path);
  } catch (error) {
    await unlink(partial).catch((failure: NodeJS.ErrnoException) => {
      if (failure.code !== "ENOENT" && failure.code !== "ENOTDIR") throw error;
    });
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename is on disk only when the folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

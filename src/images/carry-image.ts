import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { DamagedImage, readVerifiedManifest } from "./image-manifest.ts";
import { discardBuild, storePaths, sweepBuilds, takeLock } from "./image-store.ts";

/** With all that a root file system has, and what the store says of it. */
const WHOLE = ["--zstd", "--numeric-owner", "--acls", "--xattrs", "--xattrs-include=*"];

/** Writes an image of the store to a file, from which another store can take it as the same one. */
export async function carryOut(
  host: Host,
  { store, key, file, signal }: { store: string; key: string; file: string; signal?: AbortSignal | undefined },
): Promise<void> {
  await host.processes.must({
    argv: [
      "tar",
      "--create",
      ...WHOLE,
      `--file=${file}`,
      "-C",
      storePaths(store).image(key),
      "manifest.json",
      "rootfs",
    ],
    ...(signal === undefined ? {} : { signal }),
  });
}

interface CarryIn {
  store: string;
  /** For messages. */
  name: string;
  key: string;
  file: string;
  onProgress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Takes an image that another store has written, unless it is there. @throws LabError when it is another one, or damaged */
export async function carryIn(host: Host, { store, name, key, file, onProgress, signal }: CarryIn): Promise<void> {
  const paths = storePaths(store);
  await sweepBuilds(host, store);
  const lock = await takeLock(host, paths.lock(key), {
    signal,
    onWait: () => onProgress(`image ${name}: waiting for another build of the same image`),
  });
  try {
    if (await isSound(host, paths.image(key))) return;
    onProgress(`image ${name}: taken from the backup`);
    const directory = paths.build(key);
    await discardBuild(host, store, key);
    await host.files.makeDirectory(directory);
    await host.processes.must({
      argv: ["tar", "--extract", ...WHOLE, "--same-owner", "--preserve-permissions", `--file=${file}`, "-C", directory],
      ...(signal === undefined ? {} : { signal }),
    });
    const manifest = await readVerifiedManifest(host, directory);
    if (manifest?.key !== key) {
      throw new LabError(`image ${name} in the backup is not the one that its domains lie on`, {
        hint: "nothing was changed; another copy of the file may be whole",
      });
    }
    // Set-uid programs of a foreign system are for root of the machine only to reach.
    await host.processes.must({ argv: ["chmod", "0700", directory] });
    await host.processes.must({ argv: ["sync", "--file-system", directory] });
    await host.files.remove(paths.image(key));
    await host.files.rename(directory, paths.image(key));
  } finally {
    await discardBuild(host, store, key);
    lock.release();
  }
}

async function isSound(host: Host, directory: string): Promise<boolean> {
  try {
    return (await readVerifiedManifest(host, directory)) !== null;
  } catch (error) {
    if (error instanceof DamagedImage) return false;
    throw error;
  }
}

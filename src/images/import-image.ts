import type { Finished, Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Recipe } from "../model/image.ts";
import { isDiskFull } from "./disk-full.ts";
import { digest, recipeKey } from "./image-key.ts";
import {
  DamagedImage,
  contentHash,
  readVerifiedManifest,
  takeInventory,
  type ImageManifest,
} from "./image-manifest.ts";
import { discardBuild, storePaths, sweepBuilds, takeLock } from "./image-store.ts";
import { importDisk } from "./import-disk.ts";
import { importOci } from "./import-oci.ts";
import { FINISH, UNPACK_ARCHIVE } from "./import-scripts.ts";
import { sandboxed } from "./sandbox.ts";
import { FIRST_BOOT_SCRIPT } from "./seal.ts";

/** Programs of Debian packages that imports need; the last for disks only. */
export const IMPORT_PACKAGES = ["tar", "gzip", "xz-utils", "bzip2", "zstd", "tini"];
export const DISK_IMPORT_PACKAGES = ["qemu-utils", "fdisk", "util-linux"];

export type ImportKind = "oci" | "archive" | "qcow2";

export interface ImportOptions {
  store: string;
  name: string;
  /** Absolute path of a folder or file. */
  source: string;
  kind: ImportKind;
  onProgress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** One import at work. */
export interface Import extends ImportOptions {
  /** Debian's name, of the machine. */
  architecture: string;
  /** Of this import alone. */
  directory: string;
  rootfs: string;
  /** An empty folder for sandboxes. */
  sandbox: string;
  failed(program: string, finished: Finished): LabError;
}

export interface Imported {
  key: string;
  manifest: ImageManifest;
  recipe: Recipe;
}

/** What a path is an image of; null: of nothing that can be imported, so far as its first bytes and files say. */
export async function importKind(host: Host, source: string): Promise<ImportKind | null> {
  const kind = await host.files.kind(source);
  if (kind === "directory") return (await host.files.exists(`${source}/index.json`)) ? "oci" : null;
  if (kind === null || kind === "other") return null;
  const head = await host.processes.must({ argv: ["od", "-An", "-v", "-tx1", "-N", "4", source] });
  // The magic number of qcow2's header is QFI and 0xfb.
  return head.replaceAll(/\s/g, "") === "514649fb" ? "qcow2" : "archive";
}

/**
 * Takes a root file system that was made elsewhere into the store, by the hash of its content. Host keys of ssh and the
 * machine's id are left out; tini is added where it is missing, for a domain's first process.
 * @throws LabError: not an image, damaged, of another architecture, a full disk, an interruption; nothing is left then
 */
export async function importImage(host: Host, options: ImportOptions): Promise<Imported> {
  const { store, name, source, signal, onProgress } = options;
  const paths = storePaths(store);
  const work = digest(["import", source]);
  await sweepBuilds(host, store);
  const lock = await takeLock(host, paths.lock(work), {
    signal,
    onWait: () => onProgress(`image ${name}: waiting for another import of the same`),
  });
  try {
    await discardBuild(host, store, work);
    const directory = paths.build(work);
    const of: Import = {
      ...options,
      architecture: (await host.processes.must({ argv: ["dpkg", "--print-architecture"] })).trim(),
      directory,
      rootfs: `${directory}/rootfs`,
      sandbox: `${directory}/sandbox`,
      failed: (program, finished) => failure(options, program, finished),
    };
    await host.files.makeDirectory(of.rootfs);
    await host.files.makeDirectory(of.sandbox);
    return await take(host, of);
  } catch (error) {
    if (signal?.aborted) {
      throw new LabError(`interrupted: image ${name} was not imported`, { exit: ExitCode.interrupted, cause: error });
    }
    if (error instanceof Error && isDiskFull(error.message)) throw noSpace(options);
    throw error;
  } finally {
    await discardBuild(host, store, work);
    lock.release();
  }
}

async function take(host: Host, of: Import): Promise<Imported> {
  const { store, name } = of;
  const paths = storePaths(store);
  const beganMs = host.clock.monotonicMs();
  const services = await unpack(host, of);
  of.onProgress(`image ${name}: checking`);
  const finished = await host.processes.run({
    ...sandboxed({ directory: of.sandbox, target: of.rootfs, source: of.rootfs }, FINISH, [FIRST_BOOT_SCRIPT]),
    ...(of.signal === undefined ? {} : { signal: of.signal }),
  });
  if (finished.code === 9) throw notAnImage(of, "there is no /bin/sh in it");
  if (finished.code !== 0) throw of.failed("the import", finished);
  const { suite, packages } = parseFacts(finished.stdout);
  const inventory = await takeInventory(host, of.rootfs);
  const content = await contentHash(host, of.rootfs, inventory);
  const key = digest(["import", of.architecture, content]);
  const recipe: Recipe = { base: "apt", packages: [], files: {}, commands: [], services, imported: key };
  const manifest: ImageManifest = {
    schema: "cloison.image/2",
    key,
    recipeKey: recipeKey(recipe),
    name,
    suite,
    architecture: of.architecture,
    builtAt: new Date(host.clock.nowMs()).toISOString(),
    buildMs: Math.round(host.clock.monotonicMs() - beganMs),
    recipe,
    packages,
    ...inventory,
    content,
  };
  for (const done of [of.sandbox, `${of.directory}/disk`]) await host.files.remove(done);
  // A foreign system's set-uid programs are for root of the machine only to reach.
  await host.processes.must({ argv: ["chmod", "0700", of.directory] });
  await host.processes.must({ argv: ["sync", "--file-system", of.rootfs] });
  await host.files.replaceText(`${of.directory}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  const lock = await takeLock(host, paths.lock(key), { signal: of.signal, onWait: () => undefined });
  try {
    if (!(await isSound(host, paths.image(key)))) {
      await host.files.remove(paths.image(key));
      await host.files.rename(of.directory, paths.image(key));
    }
  } finally {
    lock.release();
  }
  return { key, manifest, recipe };
}

/** Fills the root, and says what the image itself runs. */
async function unpack(host: Host, of: Import): Promise<Recipe["services"]> {
  switch (of.kind) {
    case "oci":
      return importOci(host, of, of.source);
    case "qcow2":
      await importDisk(host, of);
      return {};
    case "archive": {
      of.onProgress(`image ${of.name}: unpacking`);
      const done = await host.processes.run({
        ...sandboxed({ directory: of.sandbox, target: of.rootfs, source: of.source }, UNPACK_ARCHIVE, [""]),
        ...(of.signal === undefined ? {} : { signal: of.signal }),
      });
      if (/does not look like a tar archive/.test(done.stderr))
        throw notAnImage(of, "it is no archive, disk or layout");
      if (done.code !== 0) throw of.failed("tar", done);
      if (!(await host.files.exists(`${of.rootfs}/oci-layout`))) return {};
      // An archive of a layout, as `podman save --format oci-archive` and `docker save` write.
      const layout = `${of.directory}/layout`;
      await host.files.rename(of.rootfs, layout);
      await host.files.makeDirectory(of.rootfs);
      const services = await importOci(host, of, layout);
      await host.files.remove(layout);
      return services;
    }
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

/** Reads what FINISH prints: os-release, `--`, packages. */
export function parseFacts(text: string): { suite: string; packages: Record<string, string> } {
  const [release = "", list = ""] = text.split(/^--\n/m);
  const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(release)?.[1];
  const packages = list.split("\n").flatMap((line): [string, string][] => {
    const [name = "", version = ""] = line.split("\t");
    return name === "" ? [] : [[name, version]];
  });
  const version = field("VERSION_CODENAME") ?? field("VERSION_ID");
  const suite = [field("ID") ?? "unknown", version].filter((part) => part !== undefined && part !== "").join(" ");
  return { suite, packages: Object.fromEntries(packages) };
}

function notAnImage({ name, source }: ImportOptions, why: string): LabError {
  return new LabError(`image ${name}: ${source} is not a system's image: ${why}`, {
    hint: "give an OCI image (folder or archive), a tar archive of a root file system, or a qcow2 disk",
    exit: ExitCode.usage,
  });
}

function noSpace({ name, store }: ImportOptions): LabError {
  return new LabError(`no space left for importing image ${name} into ${store}`, {
    hint: "make room there, or choose another state directory; nothing of the import is left",
  });
}

function failure(options: ImportOptions, program: string, { stdout, stderr, code, signal }: Finished): LabError {
  const said = `${stdout}\n${stderr}`;
  if (isDiskFull(said)) return noSpace(options);
  const tail = said.trim().split("\n").slice(-4).join("\n");
  return new LabError(
    `image ${options.name}: ${options.source} was not imported: ${program} ended with ${signal ?? `exit ${code}`}\n${tail}`,
  );
}

import { dirname, resolve } from "node:path";
import { carryOut } from "../images/carry-image.ts";
import { isDiskFull } from "../images/disk-full.ts";
import { imageFile, layerFile, packBackup } from "../lab/backup-file.ts";
import { requireStoredLab, workspaceOf, type LabSource, type StoredLab } from "../lab/context.ts";
import { LOCK_WAIT_MS, withLabLock } from "../lab/lab-lock.ts";
import { OWN, placeOf, readMoves } from "../lab/moves.ts";
import { backupDirectory, imageStore, keyOfRoot } from "../lab/paths.ts";
import { removeUnpacked } from "../lab/unpacked.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Layers } from "../platforms/platform.ts";
import { requireFacet } from "../platforms/require-facet.ts";
import type { AppContext } from "./context.ts";
import { settleMoves } from "./move/settle.ts";
import { requirePackages, requireRoot } from "./packages.ts";

export interface BackupOptions {
  /** The images' root file systems, too: it can be restored where they cannot be built. */
  withImages?: boolean;
  signal?: AbortSignal | undefined;
  onProgress?: (line: string) => void;
}

export interface Backup {
  lab: string;
  file: string;
  domains: string[];
  withImages: boolean;
  bytes: number;
}

/**
 * Keeps a lab in one file: its lab file, and what each domain has on its disk beside its image. Nothing is left of one that fails.
 * @param target as the user wrote it
 */
export async function backUp(
  app: AppContext,
  lab: string,
  target: string,
  { withImages = false, signal, onProgress = () => undefined }: BackupOptions = {},
): Promise<Backup> {
  requireRoot(app, "backup");
  const file = resolve(app.workingDirectory, target);
  if (!file.endsWith(".tar.zst")) {
    throw new LabError(`${target} is no name for a backup`, {
      hint: "write one that ends in .tar.zst",
      exit: ExitCode.usage,
    });
  }
  if ((await app.host.files.kind(file)) !== null) {
    throw new LabError(`${target} is there already`, {
      hint: "remove it, or choose another name",
      exit: ExitCode.usage,
    });
  }
  if ((await app.host.files.kind(dirname(file))) !== "directory") {
    throw new LabError(`there is no directory ${dirname(target)}`, { exit: ExitCode.usage });
  }
  const { plan } = await requireStoredLab(app, lab);
  await settleMoves(app, lab);
  await requirePackages(app, requireLayers(app, plan.platform).packages);
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, () =>
    inBackupDirectory(app, lab, async (directory) => {
      const stored = await requireStoredLab(app, lab);
      const source = requireSettled(stored);
      await requireWhole(app, lab, source);
      await saveDomains(app, stored, directory, onProgress, signal);
      const imageKeys = Object.fromEntries(Object.entries(stored.roots).map(([name, root]) => [name, keyOfRoot(root)]));
      if (withImages) await saveImages(app, imageKeys, directory, onProgress, signal);
      onProgress("packing");
      const domains = stored.plan.domains.map(({ name }) => name);
      const facts = {
        lab,
        createdAt: new Date(app.host.clock.nowMs()).toISOString(),
        platform: stored.plan.platform,
        labFile: source.text,
        namedImages: source.images,
        domains,
        imageKeys,
        withImages,
      };
      const bytes = await packBackup(app.host, directory, facts, file, signal);
      return { lab, file, domains, withImages, bytes };
    }),
  );
}

/** @throws LabError when domains of the lab are at another host */
async function requireWhole(app: AppContext, lab: string, { part }: LabSource): Promise<void> {
  const moved = Object.values(await readMoves(app, lab)).find((move) => placeOf(move) !== OWN);
  const where = moved === undefined ? part?.of : placeOf(moved);
  if (where === undefined) return;
  throw new LabError(`not all of lab ${lab} is here: ${moved?.domain.name ?? "the rest"} is on ${where}`, {
    hint: "a backup is of a lab whose domains are all with it",
  });
}

async function saveDomains(
  app: AppContext,
  { plan, roots }: StoredLab,
  directory: string,
  onProgress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const workspace = workspaceOf(app, plan.lab, roots);
  const there = new Set((await app.platforms[plan.platform].list(app.host, workspace, plan)).map(({ name }) => name));
  await app.host.files.makeDirectory(`${directory}/domains`);
  for (const [i, domain] of plan.domains.entries()) {
    if (!there.has(domain.name)) {
      throw new LabError(`domain ${domain.name} is not there`, { hint: "cloison up FILE makes it" });
    }
    onProgress(`domain ${i + 1} of ${plan.domains.length}: copying ${domain.name}`);
    const layers = requireLayers(app, plan.platform);
    await layers.save(app.host, workspace, plan, domain, layerFile(directory, domain.name), signal);
    signal?.throwIfAborted();
  }
}

async function saveImages(
  app: AppContext,
  imageKeys: Record<string, string>,
  directory: string,
  onProgress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const store = imageStore(app.paths);
  await app.host.files.makeDirectory(`${directory}/images`);
  for (const key of new Set(Object.values(imageKeys))) {
    onProgress(`copying image ${key.slice(0, 12)}`);
    await carryOut(app.host, { store, key, file: imageFile(directory, key), signal });
  }
}

/** @throws LabError when a platform's domains have nothing that could be kept in a backup */
export function requireLayers(app: AppContext, platform: StoredLab["plan"]["platform"]): Layers {
  const refusal = `domains of platform ${platform} have no files of their own to be kept`;
  return requireFacet(app.platforms, platform, "layers", refusal);
}

function requireSettled({ plan, unsettled, source }: StoredLab): LabSource {
  if (unsettled !== null) {
    throw new LabError(`a change of lab ${plan.lab} was cut off, and it is not as its file says`, {
      hint: "cloison up FILE completes it",
    });
  }
  if (source !== undefined) return source;
  throw new LabError(`of lab ${plan.lab} its file is not known`, {
    hint: "cloison up FILE tells it; it changes nothing else",
  });
}

/** Does the work with an empty directory, which is removed afterwards. The caller holds the lab's lock. */
export async function inBackupDirectory<T>(
  app: AppContext,
  lab: string,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const { files } = app.host;
  const directory = backupDirectory(app.paths, lab);
  try {
    // What a crash has left.
    await files.remove(directory);
    await files.makeDirectory(directory);
    return await work(directory);
  } catch (error) {
    if (!(error instanceof Error && isDiskFull(error.message))) throw error;
    throw new LabError(`no space left for the backup: ${error.message}`, {
      hint: `it is put together, and taken apart, in ${dirname(directory)}; nothing was changed`,
      cause: error,
    });
  } finally {
    await removeUnpacked(app, lab);
  }
}

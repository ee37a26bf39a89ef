import { listImages, storedKeys, storePaths, sweepBuilds } from "../../images/image-store.ts";
import { forgetNamedImage, listNamedImages, requireNamedImage } from "../../images/named-images.ts";
import { imageStore } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";
import { requireRoot } from "../packages.ts";
import { withName } from "./make.ts";
import { whileNoLabChanges, type ImageUses } from "./usage.ts";

/** One thing that was removed from the store, or would be. */
export interface RemovedRow {
  key: string;
  /** What it was built as. */
  name: string;
  /** On the disk. */
  bytes: number;
}

export interface Removed {
  removed: RemovedRow[];
  bytes: number;
  /** Nothing was removed, only looked at. */
  dryRun: boolean;
}

/**
 * Takes a name away, and what was built under it unless another image uses it.
 * @throws LabError (busy) naming the labs that are up, and the snapshots, that use it
 */
export async function removeImage(app: AppContext, name: string): Promise<Removed> {
  const store = imageStore(app.paths);
  await requireNamedImage(app.host, store, name);
  requireRoot(app, "image remove");
  return withName(app, name, () =>
    whileNoLabChanges(app, async (uses) => {
      const { key } = await requireNamedImage(app.host, store, name);
      const users = uses.get(key ?? "") ?? [];
      const others = Object.values(await listNamedImages(app.host, store)).filter((image) => image.name !== name);
      const isShared = others.some((image) => image.key === key);
      if (users.length > 0 && !isShared) {
        throw new LabError(`image ${name} is used by ${users.map((user) => user.name).join(", ")}`, {
          hint: users.map(({ freedBy }) => freedBy).join("; "),
          exit: ExitCode.busy,
        });
      }
      await forgetNamedImage(app.host, store, name);
      return await discard(app, key === null || isShared ? [] : [key], false);
    }),
  );
}

export interface PruneOptions {
  dryRun: boolean;
  /** The fetched packages, too, and what apt keeps beside them. */
  packages: boolean;
}

/** Removes what no named image, no lab that is up and no snapshot uses, and what crashed builds left. */
export async function pruneImages(app: AppContext, { dryRun, packages }: PruneOptions): Promise<Removed> {
  const store = imageStore(app.paths);
  requireRoot(app, "image prune");
  return whileNoLabChanges(app, async (uses) => {
    if (!dryRun) await sweepBuilds(app.host, store);
    const result = await discard(app, await unusedKeys(app, uses), dryRun);
    if (!packages) return result;
    const cache = `${store}/.apt`;
    const lock = app.host.tryLock(storePaths(store).lock("apt"));
    if (lock === null)
      throw new LabError("a build is fetching packages", { hint: "try again when it is done", exit: ExitCode.busy });
    try {
      const row = { key: "", name: "fetched packages", bytes: await diskUse(app, cache) };
      if (!dryRun) await app.host.files.remove(cache);
      return { removed: [...result.removed, row], bytes: result.bytes + row.bytes, dryRun };
    } finally {
      lock.release();
    }
  });
}

async function unusedKeys(app: AppContext, uses: ImageUses): Promise<string[]> {
  const store = imageStore(app.paths);
  const named = new Set(Object.values(await listNamedImages(app.host, store)).map(({ key }) => key));
  return (await storedKeys(app.host, store)).filter((key) => !named.has(key) && !uses.has(key));
}

/** Removes images that nobody has a lock on: one that is being built or exported is in use. */
async function discard(app: AppContext, keys: string[], dryRun: boolean): Promise<Removed> {
  const { host } = app;
  const store = imageStore(app.paths);
  const paths = storePaths(store);
  const names = new Map((await listImages(host, store)).map(({ key, name }) => [key, name]));
  const removed: RemovedRow[] = [];
  for (const key of keys) {
    const lock = host.tryLock(paths.lock(key));
    if (lock === null) continue;
    try {
      if (!(await host.files.exists(paths.image(key)))) continue;
      removed.push({ key, name: names.get(key) ?? "damaged", bytes: await diskUse(app, paths.image(key)) });
      if (dryRun) continue;
      // At once out of sight: a removal that is cut off leaves nothing that looks like an image.
      await host.files.makeDirectory(paths.building);
      await host.files.rename(paths.image(key), paths.build(key));
      await host.files.remove(paths.build(key));
      await host.files.remove(paths.lock(key));
    } finally {
      lock.release();
    }
  }
  return { removed, bytes: removed.reduce((sum, row) => sum + row.bytes, 0), dryRun };
}

/** What is freed by its removal, in bytes. */
async function diskUse({ host }: AppContext, path: string): Promise<number> {
  const shown = await host.processes.run({ argv: ["du", "--summarize", "--block-size=1", path] });
  return Number(/^\d+/.exec(shown.stdout)?.[0] ?? 0);
}

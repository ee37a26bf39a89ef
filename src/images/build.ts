import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Recipe } from "../model/image.ts";
import { ArchiveUnreachable } from "./apt-packages.ts";
import { DamagedPackages, buildRootfs } from "./build-rootfs.ts";
import { diskFull, isDiskFull } from "./disk-full.ts";
import { recipeKey } from "./image-key.ts";
import { DamagedImage, readVerifiedManifest, type ImageManifest } from "./image-manifest.ts";
import { discardBuild, listImages, storePaths, sweepBuilds, takeLock, workCgroup } from "./image-store.ts";
import { fetchImage, forgetPackages, resolveImage, type FetchedImage, type ImageRequest } from "./resolve-image.ts";

export interface BuiltImage {
  key: string;
  /** Of the root file system; read-only by convention: a change makes the image a damaged one. */
  directory: string;
  manifest: ImageManifest;
}

export interface ImageOptions {
  /** Folder of all images; made if missing. */
  store: string;
  /** For messages. */
  name: string;
  recipe: Recipe;
  onProgress?: (line: string) => void;
  signal?: AbortSignal;
  /** This one is used while it is sound, whatever versions there are by now. */
  pinned?: string;
  /** The packages of now are wanted: one that was built of earlier ones is no answer. Private keys in it are an error. */
  isRenewal?: boolean;
}

/**
 * The root file system of a recipe, by the package versions that Debian's archive has for this machine now: from the store, or built.
 * What is in the store is verified; a damaged image is built again. When the archive cannot be reached, the newest
 * image of the same recipe is used, and said so. Safe to call at once for the same image, from several processes.
 *
 * Throws LabError: no Debian, apt or the build failing, a full disk, an interruption. Nothing of a build is left then.
 */
export async function ensureImage(host: Host, options: ImageOptions): Promise<BuiltImage> {
  const request: ImageRequest = { ...options, onProgress: options.onProgress ?? (() => undefined) };
  try {
    return await ensure(host, request);
  } catch (error) {
    if (options.signal?.aborted) {
      throw new LabError(`interrupted: image ${options.name} was not built`, {
        exit: ExitCode.interrupted,
        cause: error,
      });
    }
    if (!(error instanceof Error && isDiskFull(error.message))) throw error;
    await forgetPackages(host, request);
    throw diskFull(options.name, options.store);
  }
}

async function ensure(host: Host, request: ImageRequest & Pick<ImageOptions, "pinned">): Promise<BuiltImage> {
  const { pinned, recipe } = request;
  const kept = pinned === undefined ? null : await verified(host, request, pinned);
  if (kept !== null) return kept;
  if (recipe.imported !== undefined) throw importLost(request.name);
  let fetched: FetchedImage;
  try {
    const resolved = await resolveImage(host, request);
    const built = await verified(host, request, resolved.key);
    if (built !== null) return built;
    fetched = await fetchImage(host, request, resolved);
  } catch (error) {
    if (!(error instanceof ArchiveUnreachable) || request.isRenewal === true) throw error;
    return await newest(host, request, error);
  }
  try {
    return await build(host, request, fetched);
  } catch (error) {
    if (!(error instanceof DamagedPackages)) throw error;
    request.onProgress(`image ${request.name}: the packages in the store are damaged, and fetched again`);
    await forgetPackages(host, request);
    return await build(host, request, await fetchImage(host, request, fetched));
  }
}

/** null: not in the store, or there but damaged. */
async function verified(host: Host, request: ImageRequest, key: string): Promise<BuiltImage | null> {
  const paths = storePaths(request.store);
  try {
    const manifest = await readVerifiedManifest(host, paths.image(key));
    return manifest === null ? null : { key, directory: paths.rootfs(key), manifest };
  } catch (error) {
    if (!(error instanceof DamagedImage)) throw error;
    request.onProgress(`image ${request.name}: the one in the store is damaged (${error.message}) and not used`);
    return null;
  }
}

async function build(host: Host, request: ImageRequest, fetched: FetchedImage): Promise<BuiltImage> {
  const { store, name, recipe, signal, onProgress } = request;
  const { key } = fetched;
  const paths = storePaths(store);
  await sweepBuilds(host, store);
  const lock = await takeLock(host, paths.lock(key), {
    signal,
    onWait: () => onProgress(`image ${name}: waiting for another build of the same image`),
  });
  try {
    const built = await verified(host, request, key);
    if (built !== null) return built;
    await discardBuild(host, store, key);
    const directory = paths.build(key);
    const cgroup = workCgroup(store, key);
    const about = { name, recipe, directory, cgroup, onProgress, signal, refuseSecrets: request.isRenewal };
    const manifest = await buildRootfs(host, { ...fetched, ...about });
    await host.files.remove(paths.image(key));
    await host.files.rename(directory, paths.image(key));
    onProgress(
      `image ${name}: built in ${Math.round(manifest.buildMs / 1000)} s, ${Math.round(manifest.bytes / 1e6)} MB`,
    );
    return { key, directory: paths.rootfs(key), manifest };
  } finally {
    await discardBuild(host, store, key);
    lock.release();
  }
}

function importLost(name: string): LabError {
  return new LabError(`image ${name} was imported, and what is in the store is damaged or gone`, {
    hint: `import it again: cloison image import --replace ${name} SOURCE`,
  });
}

/** The newest image of the recipe that is sound; throws `cause` when there is none. */
async function newest(host: Host, request: ImageRequest, cause: ArchiveUnreachable): Promise<BuiltImage> {
  const wanted = recipeKey(request.recipe);
  for (const { key, recipeKey: has, builtAt } of await listImages(host, request.store)) {
    const built = has === wanted ? await verified(host, request, key) : null;
    if (built === null) continue;
    request.onProgress(
      `image ${request.name}: the archive cannot be reached; the one built on ${builtAt.slice(0, 10)} is used`,
    );
    return built;
  }
  throw cause;
}

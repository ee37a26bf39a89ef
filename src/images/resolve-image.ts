import type { Host } from "../host/host.ts";
import type { Recipe } from "../model/image.ts";
import { openAptArchive, prepareApt, type AptArchive } from "./apt-archive.ts";
import {
  ArchiveUnreachable,
  apt,
  downloadPackages,
  resolvePackages,
  updateLists,
  type ResolvedPackage,
  type RunOptions,
} from "./apt-packages.ts";
import { digest, imageKey } from "./image-key.ts";
import { storePaths, takeLock, workCgroup } from "./image-store.ts";

/** What is wanted, and whom to tell. */
export interface ImageRequest {
  store: string;
  /** For messages. */
  name: string;
  recipe: Recipe;
  onProgress: (line: string) => void;
  signal?: AbortSignal;
  /** The versions of now are wanted, not those that were known once. */
  isRenewal?: boolean;
}

export interface ResolvedImage {
  archive: AptArchive;
  packages: ResolvedPackage[];
  key: string;
}

/** Its packages are in the store. */
export interface FetchedImage extends ResolvedImage {
  /** What apt's lists say of the packages. */
  index: string;
}

const END_APT_MS = 10_000;

/** Packages that no build has fetched for so long are of no use to the next. */
const KEEP_PACKAGES_DAYS = 30;

/** The versions that the recipe comes to, and so the key. Remembered for as long as apt's lists are the same. */
export async function resolveImage(host: Host, request: ImageRequest): Promise<ResolvedImage> {
  const opened = await openAptArchive(host, request.store, request.recipe.system);
  const isStale = opened.stamp === "" || (opened.isForeign && request.isRenewal === true);
  const archive = isStale ? await update(host, request, opened) : opened;
  const { packages } = request.recipe;
  const memo = storePaths(request.store).resolved(
    digest([request.recipe.base, packages, request.recipe.system ?? null]),
  );
  const stamp = digest([archive.stamp, archive.lists, archive.sources, archive.architecture]);
  const remembered = parseMemo(await host.files.readTextIfExists(memo), stamp);
  if (remembered !== null) return resolvedTo(request.recipe, archive, remembered);
  const found = await withApt(host, request, async (run) => {
    await prepareApt(host, archive);
    return await resolvePackages(host, archive, request.recipe, run);
  });
  await host.files.replaceText(memo, JSON.stringify({ stamp, packages: found }));
  return resolvedTo(request.recipe, archive, found);
}

function resolvedTo(recipe: Recipe, archive: AptArchive, packages: ResolvedPackage[]): ResolvedImage {
  return { archive, packages, key: imageKey(recipe, archive.codename, archive.architecture, packages) };
}

function parseMemo(text: string | null, stamp: string): ResolvedPackage[] | null {
  // Written by replaceText: whole, or not there.
  const memo = text === null ? null : (JSON.parse(text) as { stamp: string; packages: ResolvedPackage[] });
  return memo?.stamp === stamp ? memo.packages : null;
}

/** Fetches the packages. Lists that are older than the archive name packages that it no longer has: then with new lists. */
export async function fetchImage(host: Host, request: ImageRequest, resolved: ResolvedImage): Promise<FetchedImage> {
  try {
    return await download(host, request, resolved);
  } catch (error) {
    if (!(error instanceof ArchiveUnreachable)) throw error;
    await update(host, request, resolved.archive);
    return await download(host, request, await resolveImage(host, request));
  }
}

async function download(host: Host, request: ImageRequest, resolved: ResolvedImage): Promise<FetchedImage> {
  const { archive, packages } = resolved;
  return await withApt(host, request, async (run) => {
    await prepareApt(host, archive);
    const megabytes = Math.round(packages.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6);
    request.onProgress(`image ${request.name}: fetching ${packages.length} packages, ${megabytes} MB`);
    await downloadPackages(host, archive, request.recipe, run);
    const names = packages.map(({ name, version }) => `${name}=${version}`);
    const index = await host.processes.must(apt(archive, ["apt-cache", "show", ...names], run));
    await host.processes.must({
      argv: ["find", archive.packagesDirectory, "-name", "*.deb", "-ctime", `+${KEEP_PACKAGES_DAYS}`, "-delete"],
    });
    return { ...resolved, index };
  });
}

/** Throws away the packages that are kept, and what apt can make again: they are damaged, or in the way on a full disk. */
export async function forgetPackages(host: Host, request: ImageRequest): Promise<void> {
  await withApt(host, request, async () => {
    const { directory } = await openAptArchive(host, request.store, request.recipe.system);
    for (const part of ["archives", "cache"]) await host.files.remove(`${directory}/${part}`);
  });
}

async function update(host: Host, request: ImageRequest, archive: AptArchive): Promise<AptArchive> {
  return await withApt(host, request, async (run) => {
    request.onProgress(`image ${request.name}: fetching the package lists of ${archive.title}`);
    return await updateLists(host, archive, request.store, request.recipe.system, run);
  });
}

/** Apt's directories in the store have one user at a time. */
export async function withApt<T>(
  host: Host,
  request: Pick<ImageRequest, "store" | "name" | "onProgress" | "signal">,
  work: (run: RunOptions) => Promise<T>,
): Promise<T> {
  const cgroup = workCgroup(request.store, "apt");
  const lock = await takeLock(host, storePaths(request.store).lock("apt"), {
    signal: request.signal,
    onWait: () => request.onProgress(`${request.name}: waiting for another build to fetch its packages`),
  });
  try {
    // Of a predecessor that crashed.
    await host.cgroups.destroy(cgroup, END_APT_MS);
    return await work({ signal: request.signal, cgroup });
  } finally {
    await host.cgroups.destroy(cgroup, END_APT_MS);
    lock.release();
  }
}

import { composeImage } from "../../images/compose-image.ts";
import { ensureImage, type BuiltImage } from "../../images/build.ts";
import { debianCodename } from "../../images/debian-sources.ts";
import { diskBytes } from "../../images/disk-size.ts";
import { storePaths } from "../../images/image-store.ts";
import { readIfSound, readNamedImage, requireNamedImage, writeNamedImage } from "../../images/named-images.ts";
import type { Lock } from "../../host/host.ts";
import { imageStore } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { NAME_PATTERN } from "../../model/name-pattern.ts";
import type { NamedImage } from "../../model/named-image.ts";
import type { AppContext } from "../context.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { readImageLayers } from "./read-configuration.ts";

export interface MakeOptions {
  signal?: AbortSignal;
  onProgress?: (line: string) => void;
}

/** What was made under a name. */
export interface Made {
  image: NamedImage;
  /** null: it was only described. */
  built: BuiltImage | null;
  /** The same root file system as before. */
  isUnchanged: boolean;
}

/**
 * Describes an image by its file and the user's defaults, builds it, and gives it its name: all or nothing.
 * @param file null: the defaults alone
 */
export async function createImage(
  app: AppContext,
  name: string,
  file: string | null,
  options: MakeOptions & { replace: boolean; build: boolean },
): Promise<Made> {
  requireImageName(name);
  const layers = await readImageLayers(app, file);
  const machine = debianCodename((await app.host.files.readTextIfExists("/etc/os-release")) ?? "");
  const definition = composeImage(layers, machine);
  requireRoot(app, "image create");
  return withName(app, name, async () => {
    const before = await requireFree(app, name, options.replace);
    const image: NamedImage = {
      schema: "cloison.named-image/1",
      name,
      createdAt: new Date(app.host.clock.nowMs()).toISOString(),
      source: file,
      ...definition,
      key: null,
    };
    if (options.build) return await buildNamed(app, image, before, options);
    await writeNamedImage(app.host, imageStore(app.paths), image);
    return { image, built: null, isUnchanged: false };
  });
}

/** Builds an image of the packages of now. Labs that are up keep what they have; those that come up use the new one. */
export async function buildImage(app: AppContext, name: string, options: MakeOptions): Promise<Made> {
  const store = imageStore(app.paths);
  await requireNamedImage(app.host, store, name);
  requireRoot(app, "image build");
  return withName(app, name, async () => {
    const image = await requireNamedImage(app.host, store, name);
    return await buildNamed(app, image, image, options);
  });
}

async function buildNamed(
  app: AppContext,
  image: NamedImage,
  before: NamedImage | null,
  { signal, onProgress }: MakeOptions,
): Promise<Made> {
  const store = imageStore(app.paths);
  const { name, recipe } = image;
  if (recipe.imported === undefined) await requirePackages(app, ["mmdebstrap", "util-linux"]);
  const built = await ensureImage(app.host, {
    store,
    name,
    recipe,
    isRenewal: true,
    ...(recipe.imported === undefined ? {} : { pinned: recipe.imported }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  // Said now rather than when a disk is made of it.
  if (image.sizeBytes !== null) diskBytes(name, built.manifest, image.sizeBytes);
  const made = { ...image, key: built.key };
  await writeNamedImage(app.host, store, made);
  return { image: made, built, isUnchanged: before?.key === built.key };
}

/** @throws LabError when it is none */
export function requireImageName(name: string): void {
  if (NAME_PATTERN.test(name)) return;
  throw new LabError(`${name} is not a name for an image`, {
    hint: "write a lower-case letter, then letters, digits or hyphens, 30 at most",
    exit: ExitCode.usage,
  });
}

/** @throws LabError when there is an image of that name, unless it is to be replaced */
export async function requireFree(app: AppContext, name: string, replace: boolean): Promise<NamedImage | null> {
  const store = imageStore(app.paths);
  // A damaged description is no reason not to replace it.
  const before = await (replace ? readIfSound(app.host, store, name) : readNamedImage(app.host, store, name));
  if (before === null || replace) return before;
  throw new LabError(`there is an image ${name} already`, {
    hint: "take another name, or --replace it; cloison image build renews it with the packages of now",
    exit: ExitCode.usage,
  });
}

/** One command at a time changes what a name means. @throws LabError (busy) */
export async function withName<T>(app: AppContext, name: string, work: () => Promise<T>): Promise<T> {
  const file = storePaths(imageStore(app.paths)).lock(`name-${name}`);
  const lock: Lock | null = app.host.tryLock(file);
  if (lock === null) {
    const holder = (await app.host.files.readTextIfExists(file))?.trim();
    throw new LabError(`image ${name} is in use by another cloison${holder ? ` (pid ${holder})` : ""}`, {
      hint: "wait for it to end, or end it with Ctrl-C",
      exit: ExitCode.busy,
    });
  }
  try {
    return await work();
  } finally {
    await app.host.files.remove(file);
    lock.release();
  }
}

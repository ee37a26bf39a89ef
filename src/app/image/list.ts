import { listImages, storePaths } from "../../images/image-store.ts";
import { DamagedImage, readVerifiedManifest, type ImageManifest } from "../../images/image-manifest.ts";
import { listNamedImages, requireNamedImage } from "../../images/named-images.ts";
import { titleOf } from "../../images/system-sources.ts";
import { imageStore } from "../../lab/paths.ts";
import type { NamedImage } from "../../model/named-image.ts";
import type { AppContext } from "../context.ts";
import { tellDamaged } from "../snapshots.ts";
import { imageUses, type ImageUser } from "./usage.ts";

/** One row of `cloison image list`. */
export interface ImageRow {
  /** null: built for a lab, from a recipe that the lab names. */
  name: string | null;
  kind: "created" | "imported" | "for labs";
  /** `bookworm`, `Debian trixie`, `alpine 3.20` */
  system: string;
  /** null: not built. */
  key: string | null;
  builtAt: string | null;
  bytes: number | null;
  /** Labs that are up, and snapshots. */
  usedBy: string[];
  /** What an image without a name was built for. */
  builtFor: string | null;
}

/** The images with a name, then those that were built for labs, newest first. */
export async function listAllImages(app: AppContext): Promise<ImageRow[]> {
  const store = imageStore(app.paths);
  const named = Object.values(await listNamedImages(app.host, store));
  const manifests = await listImages(app.host, store);
  const uses = await imageUses(app, tellDamaged(app));
  const taken = new Set(named.map(({ key }) => key));
  const rows = named.map((image): ImageRow => {
    const manifest = manifests.find(({ key }) => key === image.key) ?? null;
    return {
      name: image.name,
      kind: image.recipe.imported === undefined ? "created" : "imported",
      system: systemOf(image, manifest),
      key: manifest?.key ?? null,
      builtAt: manifest?.builtAt ?? null,
      bytes: manifest?.bytes ?? null,
      usedBy: namesOf(uses.get(image.key ?? "")),
      builtFor: null,
    };
  });
  const others = manifests.filter(({ key }) => !taken.has(key));
  return [
    ...rows,
    ...others.map(({ key, suite, builtAt, bytes, name }): ImageRow => ({
      name: null,
      kind: "for labs",
      system: suite,
      key,
      builtAt,
      bytes,
      usedBy: namesOf(uses.get(key)),
      builtFor: name,
    })),
  ];
}

const namesOf = (users: ImageUser[] = []) => users.map(({ name }) => name);

function systemOf({ recipe }: NamedImage, manifest: ImageManifest | null): string {
  if (recipe.system !== undefined) return titleOf(recipe.system);
  return manifest?.suite ?? "-";
}

/** All about one image. */
export interface ShownImage {
  image: NamedImage;
  manifest: ImageManifest | null;
  /** `damaged` and why, `sound`, or `not built`. */
  state: string;
  directory: string | null;
  usedBy: string[];
}

/** Verifies what is in the store, too. */
export async function showImage(app: AppContext, name: string): Promise<ShownImage> {
  const store = imageStore(app.paths);
  const image = await requireNamedImage(app.host, store, name);
  const usedBy = image.key === null ? [] : namesOf((await imageUses(app, tellDamaged(app))).get(image.key));
  const missing = { image, manifest: null, directory: null, usedBy };
  if (image.key === null) return { ...missing, state: "not built" };
  try {
    const manifest = await readVerifiedManifest(app.host, storePaths(store).image(image.key));
    if (manifest === null) return { ...missing, state: "not built" };
    return { image, manifest, state: "sound", directory: storePaths(store).rootfs(image.key), usedBy };
  } catch (error) {
    if (!(error instanceof DamagedImage)) throw error;
    return { ...missing, state: `damaged: ${error.message}` };
  }
}

import { createHash } from "node:crypto";
import type { Recipe } from "../model/image.ts";
import type { ResolvedPackage } from "./apt-packages.ts";

/** Raised when the way images are built changes what comes out. */
const BUILD_FORMAT = 2;

/** Identifies what a recipe asks for. Services are not part of it: they change what runs, not what is on the disk. */
export function recipeKey(recipe: Recipe): string {
  return digest([
    BUILD_FORMAT,
    recipe.base,
    [...new Set(recipe.packages)].toSorted(),
    Object.entries(recipe.files).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    recipe.commands,
    recipe.system ?? null,
    Object.entries(recipe.users ?? {}),
    recipe.rootPasswordHash ?? null,
    recipe.hooks ?? [],
    recipe.imported ?? null,
  ]);
}

/** Identifies the root file system that a recipe comes to with these versions of packages. */
export function imageKey(recipe: Recipe, suite: string, architecture: string, packages: ResolvedPackage[]): string {
  const versions = packages.map(({ name, version }) => `${name}=${version}`).toSorted();
  return digest([recipeKey(recipe), suite, architecture, versions]);
}

export function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

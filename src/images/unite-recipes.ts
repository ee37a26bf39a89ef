import { isDeepStrictEqual } from "node:util";
import { ExitCode, LabError } from "../model/error.ts";
import type { Recipe } from "../model/image.ts";

/**
 * One recipe that has all that these have, for the platform on which all domains share one system. Commands and hooks run in the
 * order of the recipes, each once. Throws LabError when two recipes put different things in one place, or are of different
 * systems.
 */
export function uniteRecipes(recipes: Recipe[]): Recipe {
  const [first] = recipes;
  if (
    first !== undefined &&
    recipes.every((recipe) => isDeepStrictEqual(recipe, first)) &&
    first.imported !== undefined
  )
    return first;
  if (recipes.some(({ imported }) => imported !== undefined)) {
    throw differing("an imported image is a whole system, and another image is wanted beside it");
  }
  const users = unite("user", recipes, ({ users: own }) => own ?? {});
  const hooks = distinct(recipes.flatMap(({ hooks: own }) => own ?? []));
  const system = one(
    "release",
    recipes.flatMap((recipe) => recipe.system ?? []),
  );
  if (system !== undefined && recipes.some((recipe) => recipe.system === undefined)) {
    throw differing("two images are of different releases");
  }
  const rootPasswordHash = one(
    "root password",
    recipes.flatMap((recipe) => recipe.rootPasswordHash ?? []),
  );
  return {
    base: recipes.some(({ base }) => base === "minbase") ? "minbase" : "apt",
    packages: [...new Set(recipes.flatMap(({ packages }) => packages))].toSorted(),
    files: unite("file", recipes, ({ files }) => files),
    commands: [...new Set(recipes.flatMap(({ commands }) => commands))],
    services: unite("service", recipes, ({ services }) => services),
    ...(system === undefined ? {} : { system }),
    ...(Object.keys(users).length === 0 ? {} : { users }),
    ...(rootPasswordHash === undefined ? {} : { rootPasswordHash }),
    ...(hooks.length === 0 ? {} : { hooks }),
  };
}

function differing(what: string): LabError {
  return new LabError(what, {
    hint: `platform shared puts all domains into one system: make the two alike, or use another platform`,
    exit: ExitCode.usage,
  });
}

/** The value that all agree on; undefined: there is none. */
function one<T>(kind: string, values: T[]): T | undefined {
  const different = distinct(values);
  if (different.length > 1) throw differing(`two images have each a ${kind} of their own`);
  return different[0];
}

function distinct<T>(values: T[]): T[] {
  return values.filter((value, i) => values.findIndex((other) => isDeepStrictEqual(other, value)) === i);
}

function unite<T>(kind: string, recipes: Recipe[], read: (recipe: Recipe) => Record<string, T>): Record<string, T> {
  const united = new Map<string, T>();
  for (const [name, value] of recipes.flatMap((recipe) => Object.entries(read(recipe)))) {
    const other = united.get(name);
    if (other !== undefined && !isDeepStrictEqual(other, value)) {
      throw differing(`two images have a ${kind} ${name}, and they differ`);
    }
    united.set(name, value);
  }
  return Object.fromEntries([...united].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

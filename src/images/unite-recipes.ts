import { isDeepStrictEqual } from "node:util";
import { ExitCode, LabError } from "../model/error.ts";
import type { Recipe } from "../model/image.ts";

/**
 * One recipe that has all that these have, for the platform on which all domains share one system. Commands run in the order of the
 * recipes, each once. Throws LabError when two recipes put different things in one place.
 */
export function uniteRecipes(recipes: Recipe[]): Recipe {
  return {
    base: recipes.some(({ base }) => base === "minbase") ? "minbase" : "apt",
    packages: [...new Set(recipes.flatMap(({ packages }) => packages))].toSorted(),
    files: unite(
      "file",
      recipes.map(({ files }) => files),
    ),
    commands: [...new Set(recipes.flatMap(({ commands }) => commands))],
    services: unite(
      "service",
      recipes.map(({ services }) => services),
    ),
  };
}

function unite<T>(kind: string, records: Record<string, T>[]): Record<string, T> {
  const united = new Map<string, T>();
  for (const [name, value] of records.flatMap((record) => Object.entries(record))) {
    const other = united.get(name);
    if (other !== undefined && !isDeepStrictEqual(other, value)) {
      throw new LabError(`two images have a ${kind} ${name}, and they differ`, {
        hint: `platform shared puts all domains into one system: make the two alike, or use another platform`,
        exit: ExitCode.usage,
      });
    }
    united.set(name, value);
  }
  return Object.fromEntries([...united].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

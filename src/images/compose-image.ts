import { ExitCode, LabError } from "../model/error.ts";
import type { Hook, ImageSystem, Recipe } from "../model/image.ts";
import type { ImageConfiguration } from "../model/image-configuration.ts";
import type { NamedImage } from "../model/named-image.ts";
import { RECIPES } from "./recipes.ts";
import { uniteRecipes } from "./unite-recipes.ts";

/** A configuration file with all that it points at. */
export interface ReadConfiguration {
  configuration: ImageConfiguration;
  files: Recipe["files"];
  hooks: Hook[];
}

export type ImageDefinition = Pick<NamedImage, "recipe" | "sizeBytes" | "memoryBytes" | "swapBytes">;

/** Names by which a disk's file systems find each other. */
export const ROOT_LABEL = "cloison-root";
export const SWAP_LABEL = "cloison-swap";
const FSTAB = `LABEL=${ROOT_LABEL} / ext4 defaults,noatime 0 1\nLABEL=${SWAP_LABEL} none swap sw 0 0\n`;

/**
 * What an image is made of: the built-in recipe (plain, unless a file names another), then the user's defaults, then the
 * image's own file. Of what can be said once the last counts; packages, commands and hooks are added; files, users and
 * services are replaced one by one.
 * @param layers the defaults first
 * @param machineRelease code name of the machine's own Debian
 */
export function composeImage(layers: ReadConfiguration[], machineRelease: string): ImageDefinition {
  const last = <T>(read: (configuration: ImageConfiguration) => T | undefined): T | undefined =>
    layers.map(({ configuration }) => read(configuration)).findLast((value) => value !== undefined);
  const swapBytes = last(({ swap }) => swap) ?? null;
  const files = Object.assign({}, ...layers.map((layer) => layer.files)) as Recipe["files"];
  const users = Object.assign({}, ...layers.map((layer) => layer.configuration.users)) as NonNullable<Recipe["users"]>;
  const rootPasswordHash = last((configuration) => configuration.rootPasswordHash);
  const hasAccounts = Object.keys(users).length > 0 || rootPasswordHash !== undefined;
  const own: Recipe = {
    base: "apt",
    packages: [...layers.flatMap(({ configuration }) => configuration.packages), ...(hasAccounts ? ["passwd"] : [])],
    files: swapBytes === null ? files : { "/etc/fstab": { content: FSTAB, mode: "0644" }, ...files },
    commands: layers.flatMap(({ configuration }) => configuration.commands),
    services: Object.assign({}, ...layers.map(({ configuration }) => configuration.services)) as Recipe["services"],
    ...(hasAccounts ? { users } : {}),
    ...(rootPasswordHash === undefined ? {} : { rootPasswordHash }),
    hooks: uniqueHooks(layers.flatMap(({ hooks }) => hooks)),
  };
  const united = uniteRecipes([RECIPES[last(({ recipe }) => recipe) ?? "plain"], own]);
  const system = systemOf(last, machineRelease);
  return {
    recipe: {
      ...united,
      base: last(({ base }) => base) ?? united.base,
      ...(system === undefined ? {} : { system }),
    },
    sizeBytes: last(({ size }) => size) ?? null,
    memoryBytes: last(({ memory }) => memory) ?? null,
    swapBytes,
  };
}

/** undefined: the machine's own release by its own way, whose package lists it has. */
function systemOf(
  last: <T>(read: (configuration: ImageConfiguration) => T | undefined) => T | undefined,
  machineRelease: string,
): ImageSystem | undefined {
  const distribution = last((configuration) => configuration.distribution) ?? "debian";
  const release = last((configuration) => configuration.release);
  const mirror = last((configuration) => configuration.mirror);
  if (distribution === "ubuntu" && release === undefined) {
    throw new LabError("an image of Ubuntu needs a release", {
      hint: "write one in its file, as release: noble",
      exit: ExitCode.usage,
    });
  }
  const wanted = release ?? machineRelease;
  if (distribution === "debian" && wanted === machineRelease && mirror === undefined) return undefined;
  return { distribution, release: wanted, ...(mirror === undefined ? {} : { mirror }) };
}

/** A hook of the image's own takes the place of one of the defaults with its name. */
function uniqueHooks(hooks: Hook[]): Hook[] {
  const byName = new Map(hooks.map((hook) => [hook.name, hook]));
  return [...byName.values()];
}

import { apacheFiles } from "../images/apache-configuration.ts";
import { ensureImage, type BuiltImage } from "../images/build.ts";
import { RECIPES } from "../images/recipes.ts";
import { uniteRecipes } from "../images/unite-recipes.ts";
import type { RootFileSystems } from "../lab/context.ts";
import { imageStore } from "../lab/paths.ts";
import type { Lab, PlatformName } from "../model/lab.ts";
import type { LabPlan } from "../model/plan.ts";
import { planLab } from "../plan/plan.ts";
import type { AppContext } from "./context.ts";

/** Plans a lab for this machine and one of its platforms. */
export function planFor(app: AppContext, lab: Lab, platform: PlatformName): LabPlan {
  return planLab(lab, {
    platform: app.platforms[platform],
    cpus: app.host.machine.cpus,
    recipeOf: ({ recipe, ...own }) => (recipe === undefined ? own : uniteRecipes([RECIPES[recipe], own])),
    uniteRecipes,
    siteFiles: apacheFiles,
  });
}

/**
 * Builds what a plan's domains need and the store lacks; image name → what was built.
 * @param onProgress hears how far it is, many times; default: said to the user
 */
export async function buildImages(
  app: AppContext,
  plan: LabPlan,
  signal: AbortSignal | undefined,
  onProgress: (line: string) => void = app.say,
): Promise<Record<string, BuiltImage>> {
  if (!app.platforms[plan.platform].needsImages) return {};
  const built: Record<string, BuiltImage> = {};
  for (const domain of plan.domains) {
    if (built[domain.image] !== undefined) continue;
    built[domain.image] = await ensureImage(app.host, {
      store: imageStore(app.paths),
      name: domain.image,
      recipe: domain.recipe,
      onProgress,
      ...(signal === undefined ? {} : { signal }),
    });
  }
  return built;
}

export function rootsOf(images: Record<string, BuiltImage>): RootFileSystems {
  return Object.fromEntries(Object.entries(images).map(([name, image]) => [name, image.directory]));
}

import type { Recipe } from "../src/model/image.ts";
import type { PlanInputs } from "../src/plan/plan.ts";

const RECIPE: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };

/** For plans that nothing is made of: two CPUs, the namespace platform, the kernel's VLANs. */
export const PLAN_INPUTS: PlanInputs = {
  platform: { name: "namespace", merges: false },
  cpus: [0, 1],
  recipeOf: () => RECIPE,
  uniteRecipes: () => RECIPE,
  siteFiles: () => ({}),
};

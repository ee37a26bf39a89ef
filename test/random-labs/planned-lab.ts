import { parseLab } from "../../src/files/lab-file.ts";
import type { Recipe } from "../../src/model/image.ts";
import type { NetworkState } from "../../src/model/network-state.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import { planLab } from "../../src/plan/plan.ts";
import { withLeases } from "../../src/walk/with-leases.ts";
import { commit } from "./faults.ts";
import { labFile, type RandomLab } from "./random-lab.ts";

const RECIPE: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };

/** A random lab's plan, and its network with its faults in it, without a kernel. Pure. */
export function plannedLab(name: string, random: RandomLab): { plan: LabPlan; state: NetworkState } {
  const lab = parseLab("lab.yaml", JSON.stringify(labFile(name, random)));
  const plan = planLab(lab, {
    platform: { name: lab.platform, merges: false },
    cpus: [0, 1],
    recipeOf: () => RECIPE,
    uniteRecipes: () => RECIPE,
    siteFiles: () => ({}),
    vlanBackend: "openvswitch",
  });
  return { plan, state: commit(plan, withLeases(plan.network, plan.domains), random.faults).state };
}

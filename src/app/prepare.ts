import { apacheFiles } from "../images/apache-configuration.ts";
import { ensureImage, type BuiltImage } from "../images/build.ts";
import { recipeKey } from "../images/image-key.ts";
import { ensureGuestKernel } from "../images/guest-kernel.ts";
import { ensureMachineForm } from "../images/machine-form.ts";
import { readNamedImage } from "../images/named-images.ts";
import { RECIPES } from "../images/recipes.ts";
import { uniteRecipes } from "../images/unite-recipes.ts";
import type { RootFileSystems } from "../lab/context.ts";
import { readNetworkSysctl } from "../host/sysctl.ts";
import { imageStore } from "../lab/paths.ts";
import { withTrials } from "../lab/trials.ts";
import { LabError } from "../model/error.ts";
import type { Lab, PlatformName } from "../model/lab.ts";
import type { VlanBackend } from "../model/network.ts";
import { NAME_PATTERN } from "../model/name-pattern.ts";
import type { DomainPlan, LabPart, LabPlan } from "../model/plan.ts";
import { planLab } from "../plan/plan.ts";
import { tryKernelVlan } from "../switch/try-switch.ts";
import type { AppContext } from "./context.ts";
import { whenNoImageIsRemoved } from "./image/usage.ts";

/** Plans a lab, or the part of it that is on this machine, for one of the machine's platforms. */
export async function planFor(app: AppContext, lab: Lab, platform: PlatformName, part?: LabPart): Promise<LabPlan> {
  const hasVlans = Object.values(lab.networks).some(({ mode }) => mode === "vlan");
  return planLab(lab, {
    platform: app.platforms[platform],
    vlanBackend: hasVlans ? await vlanBackendHere(app) : "kernel",
    neighbourLimit: Number(readNetworkSysctl("net.ipv4.neigh.default.gc_thresh3") ?? Number.NaN) || null,
    cpus: app.host.machine.cpus,
    part,
    recipeOf: ({ recipe, ...own }) => (recipe === undefined ? own : uniteRecipes([RECIPES[recipe], own])),
    uniteRecipes,
    siteFiles: apacheFiles,
  });
}

/** The kernel's 802.1Q where it has it, found by trying; Open vSwitch elsewhere. Without root nothing can be tried. */
async function vlanBackendHere(app: AppContext): Promise<VlanBackend> {
  if (!app.isRoot) return "kernel";
  try {
    await withTrials(app, () => tryKernelVlan(app.host));
    return "kernel";
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return "openvswitch";
  }
}

/**
 * Builds what a plan's domains need and the store lacks; image name → what was built.
 * @param onProgress hears how far it is, many times; default: said to the user
 * @param keys image name → the one that is wanted while it is sound
 */
export async function buildImages(
  app: AppContext,
  plan: LabPlan,
  signal: AbortSignal | undefined,
  onProgress: (line: string) => void = app.say,
  keys: Record<string, string> = {},
): Promise<Record<string, BuiltImage>> {
  if (!app.platforms[plan.platform].needsImages) return {};
  const built: Record<string, BuiltImage> = {};
  const store = imageStore(app.paths);
  await whenNoImageIsRemoved(app, signal);
  for (const domain of plan.domains) {
    if (built[domain.image] !== undefined) continue;
    const pinned = keys[domain.image] ?? (await builtKey(app, domain));
    built[domain.image] = await ensureImage(app.host, {
      store,
      name: domain.image,
      recipe: domain.recipe,
      onProgress,
      ...(pinned === null ? {} : { pinned }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
  if (app.platforms[plan.platform].ownKernels === true) await makeMachines(app, plan, built, signal, onProgress);
  return built;
}

/** What `cloison image build` has last made of the domain's image, if that is what the lab means; null: it is not. */
async function builtKey(app: AppContext, { image, recipe }: DomainPlan): Promise<string | null> {
  if (recipe.imported !== undefined) return recipe.imported;
  const named = NAME_PATTERN.test(image) ? await readNamedImage(app.host, imageStore(app.paths), image) : null;
  if (named === null || recipeKey(named.recipe) !== recipeKey(recipe)) return null;
  return named.key;
}

/** Gives images the form that machines boot, a disk for each size that is asked for. */
async function makeMachines(
  app: AppContext,
  plan: LabPlan,
  built: Record<string, BuiltImage>,
  signal: AbortSignal | undefined,
  onProgress: (line: string) => void,
): Promise<void> {
  const store = imageStore(app.paths);
  const kernel = await ensureGuestKernel(app.host, { store, guestDirectory: `${app.root}/guest`, onProgress, signal });
  for (const { image: name, limits } of plan.domains) {
    const image = built[name];
    if (image === undefined) continue;
    const { diskBytes: roomBytes } = limits;
    await ensureMachineForm(app.host, { name, rootfs: image.directory, roomBytes, kernel, onProgress, signal });
  }
}

export function rootsOf(images: Record<string, BuiltImage>): RootFileSystems {
  return Object.fromEntries(Object.entries(images).map(([name, image]) => [name, image.directory]));
}

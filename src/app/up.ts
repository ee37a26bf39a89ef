import { bringUp, type BringUpStep } from "../lab/bring-up.ts";
import { readStoredLab, requireStoredLab, type LabSource } from "../lab/context.ts";
import { withLabLock } from "../lab/lab-lock.ts";
import { mainPart, OWN, placeOf, readMoves } from "../lab/moves.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Lab, PlatformName } from "../model/lab.ts";
import type { LabPart, LabPlan } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";
import { SWITCH_PACKAGE } from "../switch/programs.ts";
import type { AppContext } from "./context.ts";
import { requirePackages, requireRoot } from "./packages.ts";
import { settleMoves } from "./move/settle.ts";
import { buildImages, planFor, rootsOf } from "./prepare.ts";
import { readLabFile } from "./read-files.ts";
import { requirePlatform } from "./require-platform.ts";
import { forgetTrial } from "./tried-platforms.ts";

/** Domains that are made at a time, unless the user says otherwise. */
export const DEFAULT_PARALLEL = 8;

/** Whoever holds the lab may be at its end; one that is at work takes longer. */
const LOCK_WAIT_MS = 500;

/** `image` comes many times for each image that is built. */
export type UpStep = { step: "platform"; name: PlatformName } | { step: "image"; progress: string } | BringUpStep;

export interface UpOptions {
  platform?: PlatformName;
  parallel?: number;
  /** Real interfaces that join are put back after so long unless `confirm` is said; absent: they stay. */
  confirmWithinMs?: number;
  signal?: AbortSignal;
  onStep?: (step: UpStep) => void;
}

/** Brings a lab to what its file says, and returns the plan that it follows now. */
export async function up(app: AppContext, file: string, options: UpOptions): Promise<LabPlan> {
  return bring(app, await readLabFile(app, file), options);
}

async function bring(
  app: AppContext,
  { lab, ...source }: { lab: Lab } & LabSource,
  options: UpOptions & { changedOnly?: boolean },
): Promise<LabPlan> {
  requireRoot(app, "up");
  const platform = options.platform ?? lab.platform;
  const plan = await planFor(app, lab, platform, await partHere(app, lab, platform));
  options.onStep?.({ step: "platform", name: plan.platform });
  await requirePlatform(app, plan.platform);
  await requireDhcpClient(app, plan);
  if (plan.networks.some(({ vlan }) => vlan?.backend === "openvswitch")) await requirePackages(app, [SWITCH_PACKAGE]);
  await withLabLock(app.host, app.paths, plan.lab, LOCK_WAIT_MS, async () => {
    // Verified, or built, while the network comes up.
    const failed = new AbortController();
    const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const roots = buildImages(app, plan, signal, (progress) => options.onStep?.({ step: "image", progress })).then(
      rootsOf,
    );
    // It is met when it is needed, which may be after it has failed.
    roots.catch(() => undefined);
    try {
      await bringUp(app, plan, roots, { ...options, source, parallel: options.parallel ?? DEFAULT_PARALLEL });
    } catch (error) {
      failed.abort();
      await Promise.allSettled([roots]);
      await forgetTrial(app, plan.platform);
      throw error;
    }
  });
  return plan;
}

/**
 * What of the lab is here; undefined: all. Domains that were moved stay where they are, as they are.
 * @throws LabError when the lab is another machine's, or would give what such a domain has to another one
 */
async function partHere(app: AppContext, lab: Lab, platform: PlatformName): Promise<LabPart | undefined> {
  const stored = await readStoredLab(app, lab.name);
  if (stored?.source?.part !== undefined) {
    throw new LabError(`lab ${lab.name} here is what ${stored.source.part.of} has moved here`, {
      hint: `change it there; cloison down ${lab.name} removes what is here of it`,
      exit: ExitCode.usage,
    });
  }
  if (stored !== null) await settleMoves(app, lab.name);
  const moves = await readMoves(app, lab.name);
  const part = mainPart(Object.keys(lab.domains), moves);
  const whole = part === undefined ? null : await planFor(app, lab, platform);
  for (const [name, move] of Object.entries(moves)) {
    const { domain } = move;
    const host = placeOf(move);
    if (host === OWN) continue;
    const now = whole?.domains.find((one) => one.name === name);
    if (!sameData(now?.vifs, domain.vifs)) {
      throw new LabError(`domain ${name} is on ${host}, and the lab file gives it other interfaces than it has there`, {
        hint: `leave it as it is in the file, and the domains before it; or cloison down ${lab.name} first`,
        exit: ExitCode.usage,
      });
    }
    app.say(`domain ${name} is on ${host}, and stays as it is`);
  }
  return part;
}

/**
 * Brings a lab that is up to what its changed file says. What the machine has of the rest is taken for what it was brought up
 * to: `net diff` looks, `up` mends all. After an `up` or `apply` that was cut off nothing is taken for anything.
 * @throws LabError when it is not up, or on another platform
 */
export async function apply(app: AppContext, file: string, options: Omit<UpOptions, "platform">): Promise<LabPlan> {
  const read = await readLabFile(app, file);
  const { plan } = await requireStoredLab(app, read.lab.name);
  return bring(app, read, { ...options, platform: plan.platform, changedOnly: true });
}

/** Where domains run the machine's own programs, the DHCP client is one of them. */
async function requireDhcpClient(app: AppContext, plan: LabPlan): Promise<void> {
  const asks = plan.domains.some(({ vifs }) => vifs.some(({ configuration }) => configuration === "dhcp"));
  if (asks && !app.platforms[plan.platform].needsImages) await requirePackages(app, ["udhcpc"]);
}

import type { LabContext } from "./context.ts";
import { trialNames } from "./inventory.ts";
import { withLabLock } from "./lab-lock.ts";
import { tearDown } from "./teardown.ts";

/** One lock for all trials. */
const TRIALS = "_check";

/** A trial takes a fraction of a second; all that a machine can do takes several. */
const WAIT_MS = 60_000;

/**
 * Runs trials: what finds out by trying whether something works on this machine. Nobody else tries or cleans up meanwhile,
 * so that what is there before is of a crash, and goes first.
 */
export async function withTrials<T>(context: LabContext, work: () => Promise<T>): Promise<T> {
  return withLabLock(context.host, context.paths, TRIALS, WAIT_MS, async () => {
    await removeLeftTrials(context);
    return work();
  });
}

/**
 * Removes what trials that a crash cut off have left.
 * @returns whether there was anything
 * @throws LabError (busy) when a trial is under way
 */
export async function removeTrials(context: LabContext): Promise<boolean> {
  if ((await trialNames(context)).length === 0) return false;
  return withLabLock(context.host, context.paths, TRIALS, 0, () => removeLeftTrials(context));
}

async function removeLeftTrials(context: LabContext): Promise<boolean> {
  const names = await trialNames(context);
  for (const name of names) await tearDown(context, name);
  return names.length > 0;
}

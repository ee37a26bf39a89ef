import { bringUp, type BringUpStep } from "../lab/bring-up.ts";
import { readStoredLab, type LabContext, type RootFileSystems } from "../lab/context.ts";
import { labDirectory } from "../lab/paths.ts";
import { tearDown } from "../lab/teardown.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { LabPlan } from "../model/plan.ts";

/** A lab that a run makes for itself. The run holds its lock. */
export interface RunLab {
  plan: LabPlan;
  roots: RootFileSystems;
}

interface Options {
  onStep?: (step: BringUpStep) => void;
  signal?: AbortSignal;
}

/** Domains that are made at a time. */
const PARALLEL = 8;

/** Says in a lab's folder that a run made it, so that the next one may take it for left over. */
const markFile = (context: LabContext, lab: string) => `${labDirectory(context.paths, lab)}/made-by-run`;

/** @throws LabError (busy) when somebody else than a run has brought up a lab of this name: a run would end it */
export async function refuseForeignLab(context: LabContext, lab: string): Promise<void> {
  if ((await readStoredLab(context, lab)) === null || (await context.host.files.exists(markFile(context, lab)))) return;
  throw new LabError(`there is a lab ${lab} already, and no run made it`, {
    hint: `cloison down ${lab} removes it; or give the experiment's lab another name`,
    exit: ExitCode.busy,
  });
}

/** Makes the lab from nothing: what is left of an earlier run may still be busy with that run's loads. */
export async function makeRunLab(context: LabContext, { plan, roots }: RunLab, options: Options): Promise<void> {
  await tearDown(context, plan.lab);
  await bringUp(context, plan, roots, { parallel: PARALLEL, ...options });
  await context.host.files.writeText(markFile(context, plan.lab), "");
}

/** Makes domains again that are gone; the others are not touched. */
export async function mendRunLab(context: LabContext, { plan, roots }: RunLab, options: Options): Promise<void> {
  await bringUp(context, plan, roots, { parallel: PARALLEL, ...options });
}

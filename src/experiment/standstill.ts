import { workspaceOf, type LabContext } from "../lab/context.ts";
import type { RunLab } from "./run-lab.ts";

/** Stops the domains of a lab where they are, if its platform can: what is idle has its timers, too, and a queue to work off. */
export async function standStill(context: LabContext, lab: RunLab): Promise<void> {
  await set(context, lab, "running");
}

/** Lets them go on. */
export async function goOn(context: LabContext, lab: RunLab): Promise<void> {
  await set(context, lab, "paused");
}

/** @param from the state that is left */
async function set(context: LabContext, { plan, roots }: RunLab, from: "running" | "paused"): Promise<void> {
  const platform = context.platforms[plan.platform];
  const { pausing } = platform;
  if (pausing === undefined) return;
  const workspace = workspaceOf(context, plan.lab, roots);
  const domains = (await platform.list(context.host, workspace, plan)).filter(({ state }) => state === from);
  const change = from === "running" ? pausing.pause : pausing.resume;
  await Promise.all(domains.map(({ name }) => change(context.host, workspace, name)));
}

import { workspaceOf, type LabContext } from "../lab/context.ts";
import type { Phase } from "../model/experiment.ts";
import type { PageCapacity } from "../model/result.ts";
import { drainMs } from "./rest.ts";
import type { RunLab } from "./run-lab.ts";

/** A domain that needs longer to answer what a flood has left in its queue is made anew instead, which takes seconds. */
const LONGEST_DRAIN_MS = 10_000;

/** Removes the domains that would be busy with a phase's floods for long after it. The lab is to be mended then. */
export async function dropQueues(
  context: LabContext,
  { plan, roots }: RunLab,
  { floods }: Pick<Phase, "floods">,
  pages: readonly PageCapacity[],
): Promise<void> {
  const busy = floods.filter((flood) => drainMs(flood, pages) > LONGEST_DRAIN_MS).map(({ on }) => on);
  const platform = context.platforms[plan.platform];
  const workspace = workspaceOf(context, plan.lab, roots);
  for (const { name, members } of plan.domains) {
    if (!members.some((member) => busy.includes(member))) continue;
    await platform.destroy(context.host, workspace, plan.lab, name);
  }
}

import { withoutGuests, type NetworkState } from "../model/network-state.ts";
import type { LabPlan } from "../model/plan.ts";
import { observeNetwork } from "../netstate/observe.ts";
import type { LabContext } from "./context.ts";
import { labSwitches } from "./switches.ts";

/**
 * A lab's network as the kernel and Open vSwitch have it now, with all that walks want to know. What is inside guests is not
 * seen from here: it is as they were told.
 */
export async function observeLab(
  { host, paths }: Pick<LabContext, "host" | "paths">,
  plan: LabPlan,
): Promise<NetworkState> {
  const { network } = plan;
  const switches = labSwitches(paths, plan);
  const own = Object.keys(withoutGuests(network));
  const state = await observeNetwork(host, own, { like: network, switches, forWalk: true });
  for (const [namespace, part] of Object.entries(state)) {
    if (network[namespace]?.switches === undefined) continue;
    part.observed?.unmodelled.push(...(await switches.observeUnmodelled(host, namespace)));
  }
  return { ...network, ...state };
}

import type { DomainPlan } from "../model/plan.ts";
import { applyNetwork } from "../netstate/apply.ts";
import { workspaceOf, type LabContext, type StoredLab } from "./context.ts";
import { leasesTaken } from "./leases.ts";
import { labSwitches } from "./switches.ts";

/** Starts a domain of a lab that is up, and waits until it is in the network. The caller holds the lab's lock. */
export async function startDomain(
  context: LabContext,
  { plan, roots }: Pick<StoredLab, "plan" | "roots">,
  domain: DomainPlan,
): Promise<void> {
  const { host, paths } = context;
  const platform = context.platforms[plan.platform];
  await platform.start(host, workspaceOf(context, plan.lab, roots), plan, domain);
  // The vifs that it brings are new ones, which are down and nobody's ports.
  if (platform.bringsVifs === true) await applyNetwork(host, plan.network, { switches: labSwitches(paths, plan) });
  await leasesTaken(context, plan, [domain]);
}

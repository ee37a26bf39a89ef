import { requireStoredLab } from "../../lab/context.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { LabPlan } from "../../model/plan.ts";
import type { Endpoint } from "../../model/reachability.ts";
import type { NetworkState } from "../../model/network-state.ts";
import { withLeases } from "../../walk/with-leases.ts";
import type { AppContext } from "../context.ts";
import { planFor } from "../prepare.ts";
import { readLabFile } from "../read-files.ts";

/** A lab's plan: by its name as it was brought up, by its file as it would be. */
export async function planOf(app: AppContext, nameOrFile: string): Promise<LabPlan> {
  if (!/[./]/.test(nameOrFile)) return (await requireStoredLab(app, nameOrFile)).plan;
  const { lab } = await readLabFile(app, nameOrFile);
  return planFor(app, lab, lab.platform);
}

/** The plan of a lab that is up, by its name or its file. Throws LabError when it is not. */
export async function planOfRunning(app: AppContext, nameOrFile: string): Promise<LabPlan> {
  const name = /[./]/.test(nameOrFile) ? (await readLabFile(app, nameOrFile)).lab.name : nameOrFile;
  return (await requireStoredLab(app, name)).plan;
}

/** What walks go through when a lab is as planned: its network, with the leases that DHCP will give. */
export function plannedNetwork({ network, domains }: LabPlan): NetworkState {
  return withLeases(network, domains);
}

/** @throws LabError that says which endpoints there are */
export function findEndpoint({ lab, endpoints }: LabPlan, name: string): Endpoint {
  const found = endpoints.find((endpoint) => endpoint.name === name);
  if (found !== undefined) return found;
  throw new LabError(`lab ${lab} has no ${name}`, {
    hint: `it has ${endpoints.map((endpoint) => endpoint.name).join(", ")}`,
    exit: ExitCode.usage,
  });
}

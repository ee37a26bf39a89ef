import { formatChange } from "../../netstate/change.ts";
import type { AppContext } from "../context.ts";
import { isDrift, readDrift, type Drift } from "./drift.ts";
import { planOfRunning } from "./lab-network.ts";

/** What somebody, or something, has changed in a lab's network since it was brought up. */
export async function diffLab(app: AppContext, lab: string): Promise<Drift> {
  const { observed: _, ...drift } = await readDrift(app, await planOfRunning(app, lab));
  return drift;
}

/** One line for each difference. */
export function driftLines(drift: Drift): string[] {
  return [
    ...drift.changes.map(formatChange),
    ...drift.programs.map((program) => `${program} does not run`),
    ...drift.leases.map(({ namespace, link, address }) => `${namespace}: DHCP has not given ${address} to ${link}`),
    ...drift.poisoned.map(
      ({ namespace, link, address, mac, expected }) =>
        `${namespace}: neighbour ${address} on ${link}: learned ${mac}, is ${expected}`,
    ),
  ];
}

/** What `net diff` prints. */
export function driftText(drift: Drift): string {
  const lines = isDrift(drift) ? driftLines(drift) : ["nothing differs from the plan"];
  const foreign = drift.foreign.map(
    ({ namespace, table }) => `${namespace}: table ${table} is not Cloison's: left alone, and walked by net why`,
  );
  return [...lines, ...foreign].join("\n");
}

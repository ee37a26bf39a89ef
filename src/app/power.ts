import { LOCK_WAIT_MS, withLabLock } from "../lab/lab-lock.ts";
import type { DomainUsage, MachineStatistics, Power } from "../platforms/platform.ts";
import { requireFacet } from "../platforms/require-facet.ts";
import type { AppContext } from "./context.ts";
import { findDomain } from "./inspect.ts";

/** A guest that ends by itself needs a second or two, under emulation some more. */
const SHUTDOWN_MS = 30_000;

/** Stops a domain where it is; its memory and disk stay. On a platform that merges domains, all of them. */
export async function pause(app: AppContext, lab: string, name: string): Promise<void> {
  const { pausing, domain, workspace } = await findPausable(app, lab, name);
  await withLab(app, lab, () => pausing.pause(app.host, workspace, domain.name));
}

export async function resume(app: AppContext, lab: string, name: string): Promise<void> {
  const { pausing, domain, workspace } = await findPausable(app, lab, name);
  await withLab(app, lab, () => pausing.resume(app.host, workspace, domain.name));
}

/** Presses a domain's power button. @returns whether it ended by itself */
export async function shutdown(app: AppContext, lab: string, name: string): ReturnType<Power["shutdown"]> {
  const { power, domain, workspace } = await findMachine(app, lab, name);
  return withLab(app, lab, () => power.shutdown(app.host, workspace, domain.name, SHUTDOWN_MS));
}

/** What a domain has used so far; of a machine also what its hypervisor counts. */
export async function statistics(
  app: AppContext,
  lab: string,
  name: string,
): Promise<DomainUsage & Partial<MachineStatistics>> {
  const { platform, domain, workspace } = await findDomain(app, lab, name);
  const usage = await platform.usage(app.host, workspace, domain.name);
  return { ...usage, ...(await platform.power?.statistics(app.host, workspace, domain.name)) };
}

/** A domain that stands still to be copied must not be told to go on. */
function withLab<T>(app: AppContext, lab: string, work: () => Promise<T>): Promise<T> {
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, work);
}

async function findPausable(app: AppContext, lab: string, name: string) {
  const found = await findDomain(app, lab, name);
  const refusal = `domains of platform ${found.platform.name} cannot stand still`;
  return { ...found, pausing: requireFacet(app.platforms, found.platform.name, "pausing", refusal) };
}

async function findMachine(app: AppContext, lab: string, name: string) {
  const found = await findDomain(app, lab, name);
  const refusal = `domains of platform ${found.platform.name} have no power button`;
  return { ...found, power: requireFacet(app.platforms, found.platform.name, "power", refusal) };
}

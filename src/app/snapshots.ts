import { requireStoredLab } from "../lab/context.ts";
import { LOCK_WAIT_MS, withLabLock } from "../lab/lab-lock.ts";
import {
  discardSnapshot,
  listSnapshots,
  readSnapshot,
  requireSnapshot,
  type Snapshot,
  type SnapshotName,
} from "../lab/snapshot-store.ts";
import { restoreSnapshot, saveSnapshot, snapshotName } from "../lab/snapshots.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { NAME_PATTERN } from "../model/name-pattern.ts";
import type { AppContext } from "./context.ts";
import { findDomain } from "./inspect.ts";
import { requirePackages, requireRoot } from "./packages.ts";

export type { Snapshot } from "../lab/snapshot-store.ts";

/** Keeps what is a domain's own under a name; default: one made of the time. */
export async function createSnapshot(
  app: AppContext,
  lab: string,
  domainName: string,
  { name = snapshotName(app.host.clock.nowMs()), comment = null, diskOnly = false, signal }: SnapshotOptions = {},
): Promise<Snapshot> {
  requireRoot(app, "snapshot create");
  if (!NAME_PATTERN.test(name)) {
    throw new LabError(`${name} is not a name for a snapshot`, {
      hint: "write a lower-case letter, then letters, digits or hyphens, 30 at most",
      exit: ExitCode.usage,
    });
  }
  await requireSnapshotPackages(app, lab);
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    const { domain } = await findDomain(app, lab, domainName);
    return saveSnapshot(app, await requireStoredLab(app, lab), domain, { name, comment, diskOnly, signal });
  });
}

export interface SnapshotOptions {
  name?: string | undefined;
  comment?: string | null;
  /** Without the memory of a domain that runs, where the platform could keep it. */
  diskOnly?: boolean;
  signal?: AbortSignal;
}

/** Puts a domain back to what a snapshot of it keeps; what it is now is lost. */
export async function restoreDomain(
  app: AppContext,
  lab: string,
  domainName: string,
  name: string,
  { diskOnly = false, signal }: Pick<SnapshotOptions, "diskOnly" | "signal"> = {},
): Promise<Snapshot> {
  requireRoot(app, "snapshot restore");
  await requireSnapshotPackages(app, lab);
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    const { domain } = await findDomain(app, lab, domainName);
    const snapshot = await readSnapshot(app.host, app.paths, { lab, domain: domain.name, name });
    await restoreSnapshot(app, await requireStoredLab(app, lab), domain, snapshot, { diskOnly, signal });
    return snapshot;
  });
}

/** Snapshots of the machine, of a lab, or of one of its domains, oldest first. The lab need not be up. */
export function snapshotsOf(app: AppContext, lab?: string, domain?: string): Promise<Snapshot[]> {
  const of = { ...(lab === undefined ? {} : { lab }), ...(domain === undefined ? {} : { domain }) };
  return listSnapshots(app.host, app.paths, of, tellDamaged(app));
}

/** Tells of snapshots that cannot be read, and what to do about them. */
export function tellDamaged(app: AppContext) {
  return (_snapshot: SnapshotName, { message, hint }: LabError) => app.say(`${message} (${hint})`);
}

/** Removes a snapshot, for good, also one that is damaged. The lab need not be up. */
export async function removeSnapshot(app: AppContext, of: SnapshotName): Promise<SnapshotName> {
  requireRoot(app, "snapshot remove");
  const { host, paths } = app;
  // Before the lock, which is called after the lab.
  await requireSnapshot(host, paths, of);
  return withLabLock(host, paths, of.lab, LOCK_WAIT_MS, async () => {
    // Another one may have removed it meanwhile.
    await requireSnapshot(host, paths, of);
    await discardSnapshot(host, paths, of);
    return of;
  });
}

async function requireSnapshotPackages(app: AppContext, lab: string): Promise<void> {
  const { plan } = await requireStoredLab(app, lab);
  await requirePackages(app, app.platforms[plan.platform].snapshots?.packages ?? []);
}

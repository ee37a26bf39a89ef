import { dirname } from "node:path";
import { ExitCode, LabError } from "../model/error.ts";
import type { DomainPlan } from "../model/plan.ts";
import type { Platform, Snapshots } from "../platforms/platform.ts";
import { requireFacet } from "../platforms/require-facet.ts";
import { beginChange, stageLab, workspaceOf, type LabContext, type StoredLab } from "./context.ts";
import { keyOfRoot, labDirectory } from "./paths.ts";
import {
  listSnapshots,
  sealSnapshot,
  snapshotDirectory,
  verifySnapshot,
  type Snapshot,
  type SnapshotName,
} from "./snapshot-store.ts";
import { startDomain } from "./start-domain.ts";

/** A name for a snapshot that was given none: when it was taken, in UTC. */
export function snapshotName(nowMs: number): string {
  return `s${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;
}

/**
 * Keeps what is a domain's own. It is a snapshot when it is whole: a crash leaves nothing that looks like one. The caller holds
 * the lab's lock.
 * @throws LabError when there is one of that name
 */
export async function saveSnapshot(
  context: LabContext,
  stored: StoredLab,
  domain: DomainPlan,
  options: { name: string; comment: string | null; diskOnly: boolean; signal?: AbortSignal | undefined },
): Promise<Snapshot> {
  const { host, paths } = context;
  const { lab, platform } = stored.plan;
  const { name, comment, diskOnly, signal } = options;
  const facet = snapshotsOf(context, stored);
  const directory = snapshotDirectory(paths, { lab, domain: domain.name, name });
  if (await host.files.exists(directory)) {
    throw new LabError(`domain ${domain.name} has a snapshot ${name} already`, {
      hint: `cloison snapshot remove ${lab} ${domain.name} ${name}, or choose another name`,
      exit: ExitCode.usage,
    });
  }
  // In the lab's folder: what a crash leaves of it goes with the lab, or with its next snapshot.
  const building = `${labDirectory(paths, lab)}/snapshot`;
  await host.files.remove(building);
  try {
    await host.files.makeDirectory(`${building}/data`);
    const workspace = workspaceOf(context, lab, stored.roots);
    const extent = { memory: !diskOnly, signal };
    const { memory } = await facet.save(host, workspace, stored.plan, domain, `${building}/data`, extent);
    const snapshot = await sealSnapshot(host, building, {
      lab,
      domain: domain.name,
      name,
      createdAt: new Date(host.clock.nowMs()).toISOString(),
      platform,
      image: domain.image,
      imageKey: imageKeyOf(stored, domain),
      comment,
      memory,
    });
    signal?.throwIfAborted();
    await host.files.makeDirectory(dirname(directory));
    await host.files.rename(building, directory);
    return snapshot;
  } finally {
    await host.files.remove(building);
  }
}

/**
 * Makes a domain anew from a snapshot of it. Its present state is lost, but not before the snapshot was found whole and fitting.
 * The caller holds the lab's lock.
 */
export async function restoreSnapshot(
  context: LabContext,
  stored: StoredLab,
  domain: DomainPlan,
  snapshot: Snapshot,
  { diskOnly, signal }: { diskOnly: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  const { host, paths } = context;
  const { plan, roots } = stored;
  const facet = snapshotsOf(context, stored);
  requireFitting(stored, domain, snapshot);
  await verifySnapshot(host, paths, snapshot);
  const workspace = workspaceOf(context, plan.lab, roots);
  const data = `${snapshotDirectory(paths, snapshot)}/data`;
  const extent = { memory: snapshot.memory && !diskOnly };
  await facet.requireFitting?.(host, workspace, plan, domain, data, extent);
  signal?.throwIfAborted();

  const platform = context.platforms[plan.platform];
  const others = stored.unsettled?.filter((name) => name !== domain.name) ?? null;
  await beginChange(context, plan.lab, [...(others ?? []), domain.name]);
  try {
    await platform.destroy(host, workspace, plan.lab, domain.name);
    await facet.prepare(host, workspace, plan, domain, data, extent);
    await startDomain(context, stored, domain);
  } catch (error) {
    await platform.destroy(host, workspace, plan.lab, domain.name);
    throw new LabError(`${error instanceof Error ? error.message : String(error)}\ndomain ${domain.name} is stopped`, {
      hint: `the snapshot is whole and stays; cloison up makes the domain anew from its image`,
      cause: error,
    });
  }
  if (others !== null) return beginChange(context, plan.lab, others);
  const { unsettled: _, ...settled } = stored;
  const store = await stageLab(context, settled);
  await store();
}

/** A snapshot from which a domain that is not there can be made; instead of a platform's `prepare`. */
export interface Origin {
  snapshot: Snapshot;
  prepare: Platform["prepare"];
}

/**
 * The newest snapshot of a domain that fits it and is whole: its disk.
 * @param onUnfit hears why newer ones were passed over
 * @returns null: there is none
 */
export async function newestOrigin(
  context: LabContext,
  stored: Pick<StoredLab, "plan" | "roots">,
  domain: DomainPlan,
  onUnfit: (snapshot: SnapshotName, why: string) => void,
): Promise<Origin | null> {
  const { host, paths } = context;
  const { plan, roots } = stored;
  const facet = context.platforms[plan.platform].snapshots;
  if (facet === undefined) return null;
  const extent = { memory: false };
  const of = { lab: plan.lab, domain: domain.name };
  const known = await listSnapshots(host, paths, of, (snapshot, error) => onUnfit(snapshot, error.message));
  for (const snapshot of known.toReversed()) {
    const data = `${snapshotDirectory(paths, snapshot)}/data`;
    try {
      requireFitting(stored, domain, snapshot);
      await verifySnapshot(host, paths, snapshot);
      await facet.requireFitting?.(host, workspaceOf(context, plan.lab, roots), plan, domain, data, extent);
      const prepare: Platform["prepare"] = (on, workspace, of, made) =>
        facet.prepare(on, workspace, of, made, data, extent);
      return { snapshot, prepare };
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      onUnfit(snapshot, error.message);
    }
  }
  return null;
}

function snapshotsOf(context: LabContext, { plan }: StoredLab): Snapshots {
  const refusal = `domains of platform ${plan.platform} have no snapshots`;
  return requireFacet(context.platforms, plan.platform, "snapshots", refusal);
}

function requireFitting(stored: Pick<StoredLab, "plan" | "roots">, domain: DomainPlan, snapshot: Snapshot): void {
  const { platform } = stored.plan;
  if (snapshot.platform !== platform) {
    throw new LabError(
      `snapshot ${snapshot.name} was taken on platform ${snapshot.platform}, and the lab is on ${platform}`,
      {
        hint: `cloison up FILE --platform ${snapshot.platform} brings the lab back to it`,
      },
    );
  }
  if (snapshot.imageKey === imageKeyOf(stored, domain)) return;
  throw new LabError(
    `snapshot ${snapshot.name} lies on image ${snapshot.image} (${snapshot.imageKey.slice(0, 12)}), and domain ${domain.name} on ${domain.image} (${imageKeyOf(stored, domain).slice(0, 12)})`,
    {
      hint: "a snapshot fits only on the very image that it was taken on: the lab file's image, or its packages, have changed since",
    },
  );
}

function imageKeyOf({ roots }: Pick<StoredLab, "roots">, { image }: DomainPlan): string {
  const root = roots[image];
  if (root === undefined) throw new LabError(`the lab has no image ${image}`);
  return keyOfRoot(root);
}

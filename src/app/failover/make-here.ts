import { parseLab } from "../../files/lab-file.ts";
import { bringUp } from "../../lab/bring-up.ts";
import { requireStoredLab } from "../../lab/context.ts";
import { mainPart, readMoves } from "../../lab/moves.ts";
import { keyOfRoot } from "../../lab/paths.ts";
import type { Snapshot } from "../../lab/snapshot-store.ts";
import { newestOrigin, type Origin } from "../../lab/snapshots.ts";
import { LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";
import { requirePackages } from "../packages.ts";
import { buildImages, planFor, rootsOf } from "../prepare.ts";
import { DEFAULT_PARALLEL } from "../up.ts";

/**
 * Makes these domains at the lab's own host, of their newest snapshots, or of their images. The others stay as they are. The caller
 * holds the lab's lock.
 * @returns by name: of which snapshot; null: of its image
 */
export async function makeHere(
  app: AppContext,
  lab: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Snapshot | null>> {
  const stored = await requireStoredLab(app, lab);
  const { source, unsettled } = stored;
  if (source === undefined) throw new LabError(`lab ${lab} was made by a run, not by a lab file`);
  const file = parseLab("the lab file", source.text, source.images);
  const part = mainPart(Object.keys(file.domains), await readMoves(app, lab));
  const plan = await planFor(app, file, stored.plan.platform, part);
  const keys = Object.fromEntries(Object.entries(stored.roots).map(([image, root]) => [image, keyOfRoot(root)]));
  // Of the others nothing is made anew, so they stay on what they were made of.
  const roots = { ...rootsOf(await buildImages(app, plan, signal, app.say, keys)), ...stored.roots };
  const platform = app.platforms[plan.platform];
  await requirePackages(app, platform.snapshots?.packages ?? []);
  const origins = new Map<string, Origin | null>();
  for (const domain of plan.domains.filter(({ name }) => names.includes(name))) {
    const onUnfit = ({ name }: Pick<Snapshot, "name">, why: string) =>
      app.say(`snapshot ${name} of ${domain.name} is passed over: ${why}`);
    origins.set(domain.name, await newestOrigin(app, { plan, roots }, domain, onUnfit));
  }
  await bringUp(app, plan, roots, {
    parallel: DEFAULT_PARALLEL,
    source,
    only: [...names, ...(unsettled ?? [])],
    prepare: (host, workspace, of, domain) =>
      (origins.get(domain.name)?.prepare ?? platform.prepare)(host, workspace, of, domain),
    signal,
  });
  return new Map([...origins].map(([name, origin]) => [name, origin?.snapshot ?? null]));
}

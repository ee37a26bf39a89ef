import { labNames } from "../../lab/inventory.ts";
import { readStoredLab } from "../../lab/context.ts";
import { heldLabs } from "../../lab/lab-lock.ts";
import { listSnapshots } from "../../lab/snapshot-store.ts";
import { removalLock, takeLock } from "../../images/image-store.ts";
import { imageStore, keyOfRoot } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";

/** Who wants an image to stay. */
export interface ImageUser {
  /** `lab study`, `snapshot good of apache1 in study` */
  name: string;
  /** The command after which it no longer does. */
  freedBy: string;
}

/** Key of an image → who uses it. */
export type ImageUses = Map<string, ImageUser[]>;

/**
 * What labs that are up and snapshots use. A lab that is only coming up is not there yet.
 * @param onDamaged as of `listSnapshots`
 */
export async function imageUses(app: AppContext, onDamaged?: Parameters<typeof listSnapshots>[3]): Promise<ImageUses> {
  const uses: ImageUses = new Map();
  const use = (key: string, user: ImageUser) => void uses.set(key, [...(uses.get(key) ?? []), user]);
  for (const lab of await labNames(app)) {
    const stored = await readStoredLab(app, lab);
    for (const root of new Set(Object.values(stored?.roots ?? {}))) {
      use(keyOfRoot(root), { name: `lab ${lab}`, freedBy: `cloison down ${lab}` });
    }
  }
  for (const { lab, domain, name, imageKey } of await listSnapshots(app.host, app.paths, {}, onDamaged)) {
    const freedBy = `cloison snapshot remove ${lab} ${domain} ${name}`;
    use(imageKey, { name: `snapshot ${name} of ${domain} in ${lab}`, freedBy });
  }
  return uses;
}

/**
 * Does work that removes images, while no lab can begin to use one: labs that come up wait until it is done.
 * @throws LabError (busy) when a lab is coming up or going down, so that nobody knows yet what it uses
 */
export async function whileNoLabChanges<T>(app: AppContext, work: (uses: ImageUses) => Promise<T>): Promise<T> {
  const lock = await takeLock(app.host, removalLock(imageStore(app.paths)), {
    onWait: () => app.say("waiting for another cloison that removes images"),
  });
  try {
    const busy = await heldLabs(app.host, app.paths);
    if (busy.length > 0) {
      throw new LabError(`lab ${busy.join(", ")} is being changed, and nobody knows yet which images it needs`, {
        hint: "try again when it is done",
        exit: ExitCode.busy,
      });
    }
    for (const lab of await labNames(app)) {
      const stored = await readStoredLab(app, lab);
      // What a change that was cut off has made may lie on images that no plan names yet.
      if (stored === null || (stored.unsettled ?? []).length > 0) throw incomplete(lab);
    }
    return await work(await imageUses(app));
  } finally {
    lock.release();
  }
}

function incomplete(lab: string): LabError {
  return new LabError(`lab ${lab} is incomplete, and nobody knows which images it uses`, {
    hint: `cloison up FILE completes it, cloison down ${lab} removes it`,
    exit: ExitCode.busy,
  });
}

/** For whoever has a lab's lock and is about to use images: waits until nobody removes any. */
export async function whenNoImageIsRemoved(app: AppContext, signal: AbortSignal | undefined): Promise<void> {
  const lock = await takeLock(app.host, removalLock(imageStore(app.paths)), {
    signal,
    onWait: () => app.say("waiting for another cloison that removes images"),
  });
  lock.release();
}

import type { Host, Lock } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { NAME_PATTERN } from "../model/name-pattern.ts";
import { labDirectory, lockFile, type Paths } from "./paths.ts";

const POLL_MS = 100;

/**
 * Takes the lock of a lab, so that no two commands change it at once. The kernel lets it go when this process dies.
 * @param waitMs how long to wait for whoever holds it
 * @throws LabError (busy) naming the holder
 */
export async function lockLab(host: Host, paths: Paths, lab: string, waitMs: number): Promise<Lock> {
  await host.files.makeDirectory(`${paths.run}/locks`);
  const file = lockFile(paths, lab);
  const deadline = host.clock.monotonicMs() + waitMs;
  for (;;) {
    const lock = host.tryLock(file);
    if (lock !== null) return lock;
    if (host.clock.monotonicMs() >= deadline) {
      const holder = (await host.files.readTextIfExists(file))?.trim();
      throw new LabError(`lab ${lab} is in use by another cloison${holder ? ` (pid ${holder})` : ""}`, {
        hint: "wait for it to end, or end it with Ctrl-C",
        exit: ExitCode.busy,
      });
    }
    await host.clock.sleep(POLL_MS);
  }
}

/** Lets the lock go. Its file goes with the lab: before the lock does, else it might be another's who has taken it since. */
export async function unlockLab(host: Host, paths: Paths, lab: string, lock: Lock): Promise<void> {
  try {
    if (!(await host.files.exists(labDirectory(paths, lab)))) await host.files.remove(lockFile(paths, lab));
  } finally {
    lock.release();
  }
}

/** Names of the labs that a command holds at this moment. */
export async function heldLabs(host: Host, paths: Paths): Promise<string[]> {
  const held: string[] = [];
  for (const file of await host.files.list(`${paths.run}/locks`)) {
    const lab = file.replace(/\.lock$/, "");
    if (!NAME_PATTERN.test(lab)) continue;
    const lock = host.tryLock(lockFile(paths, lab));
    if (lock === null) held.push(lab);
    else await unlockLab(host, paths, lab, lock);
  }
  return held;
}

/** Removes the locks' files that processes which were killed have left of labs of which nothing else exists. */
export async function removeLeftLocks(host: Host, paths: Paths): Promise<void> {
  for (const file of await host.files.list(`${paths.run}/locks`)) {
    const lab = file.replace(/\.lock$/, "");
    if (await host.files.exists(labDirectory(paths, lab))) continue;
    const lock = host.tryLock(lockFile(paths, lab));
    if (lock !== null) await unlockLab(host, paths, lab, lock);
  }
}

/** How long what is asked of a lab waits for whoever holds it, who may be at its end, ms. */
export const LOCK_WAIT_MS = 2000;

/** Does the work while the lock of the lab is held. */
export async function withLabLock<T>(
  host: Host,
  paths: Paths,
  lab: string,
  waitMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await lockLab(host, paths, lab, waitMs);
  try {
    return await work();
  } finally {
    await unlockLab(host, paths, lab, lock);
  }
}

import type { Host, Lock } from "../host/host.ts";
import { digest } from "./image-key.ts";
import { parseManifest, type ImageManifest } from "./image-manifest.ts";

/**
 * Parent of the control groups of builds. Not the name that a lab could have: labs have theirs beside it.
 */
export const IMAGES_CGROUP = "cloison/_images";

const KEY = /^[0-9a-f]{64}$/;
const WAIT_MS = 200;
const END_BUILD_MS = 10_000;

/** Where things are in a store: `<key>/{rootfs,manifest.json}`, and hidden beside them names and what builds need. */
export const storePaths = (store: string) => ({
  image: (key: string) => `${store}/${key}`,
  rootfs: (key: string) => `${store}/${key}/rootfs`,
  building: `${store}/.building`,
  build: (key: string) => `${store}/.building/${key}`,
  lock: (name: string) => `${store}/.locks/${name}`,
  namedImages: `${store}/.named`,
  namedImage: (name: string) => `${store}/.named/${name}.json`,
  resolved: (name: string) => `${store}/.apt/resolved/${name}.json`,
});

/** Control group of a piece of work in one store; another store's may go on at the same time. */
export function workCgroup(store: string, work: string): string {
  return `${IMAGES_CGROUP}/${digest([store, work]).slice(0, 16)}`;
}

/** Every image in the store, newest first; what has no manifest that can be read is not listed. Nothing is verified. */
export async function listImages(host: Host, store: string): Promise<ImageManifest[]> {
  const manifests: ImageManifest[] = [];
  for (const key of await host.files.list(store)) {
    if (!KEY.test(key)) continue;
    const text = await host.files.readTextIfExists(`${storePaths(store).image(key)}/manifest.json`);
    const manifest = text === null ? null : parseManifest(text);
    if (manifest !== null) manifests.push(manifest);
  }
  return manifests.toSorted((a, b) => (a.builtAt < b.builtAt ? 1 : -1));
}

/** Waits until nobody else has the lock. `onWait` is called once, when there is something to wait for. */
export async function takeLock(
  host: Host,
  path: string,
  options: { signal?: AbortSignal | undefined; onWait(): void },
): Promise<Lock> {
  for (let waited = false; ; waited = true) {
    options.signal?.throwIfAborted();
    const lock = host.tryLock(path);
    if (lock !== null) return lock;
    if (!waited) options.onWait();
    await host.clock.sleep(WAIT_MS, options.signal);
  }
}

/** Ends what is left of a build and removes its directory. The caller holds the lock of its key. Idempotent. */
export async function discardBuild(host: Host, store: string, key: string): Promise<void> {
  await host.cgroups.destroy(workCgroup(store, key), END_BUILD_MS);
  await host.files.remove(storePaths(store).build(key));
}

/** Keys of all that is in the store, whether it can be read or not. */
export async function storedKeys(host: Host, store: string): Promise<string[]> {
  return (await host.files.list(store)).filter((name) => KEY.test(name));
}

/**
 * Held by whoever removes images: then no lab begins to use one. Whoever brings a lab up holds the lab's lock first, and then
 * waits for this one to be free.
 */
export const removalLock = (store: string) => storePaths(store).lock("removal");

/** Removes what builds that crashed left behind; those that somebody works on are let be. */
export async function sweepBuilds(host: Host, store: string): Promise<void> {
  const paths = storePaths(store);
  for (const key of await host.files.list(paths.building)) {
    const lock = host.tryLock(paths.lock(key));
    if (lock === null) continue;
    try {
      await discardBuild(host, store, key);
    } finally {
      lock.release();
    }
  }
}

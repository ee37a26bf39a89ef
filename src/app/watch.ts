import { watchLab, type WatchEvent } from "../lab/watch.ts";
import type { AppContext } from "./context.ts";
import { requireRoot } from "./packages.ts";

export type { WatchEvent } from "../lab/watch.ts";

/** Starts domains again that die, until the signal or the lab's end. */
export async function watch(
  app: AppContext,
  lab: string,
  options: { signal: AbortSignal; onEvent: (event: WatchEvent) => void },
): Promise<void> {
  requireRoot(app, "watch");
  await watchLab(app, lab, options);
}

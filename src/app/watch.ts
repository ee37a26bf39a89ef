import { requireStoredLab } from "../lab/context.ts";
import type { ShownFence } from "../lab/fences.ts";
import { readMoves } from "../lab/moves.ts";
import { watchLab, type WatchEvent as LabEvent } from "../lab/watch.ts";
import { LabError } from "../model/error.ts";
import type { AppContext } from "./context.ts";
import type { HostEvent } from "./failover/host-event.ts";
import { requireShown } from "./failover/rehearse.ts";
import { watchHosts } from "./failover/watch-hosts.ts";
import { requirePackages, requireRoot } from "./packages.ts";

/** `trusting`: fences that were shown to work, for hosts that domains are at. */
export type WatchEvent = LabEvent | HostEvent | ({ event: "trusting" } & ShownFence);

interface WatchOptions {
  /** Ends a host that is missing, so that what ran there is started here; null: it is not. */
  fence: string | null;
  signal: AbortSignal;
  onEvent: (event: WatchEvent) => void;
}

/**
 * Starts domains again that die, and those of hosts that were seen to have ended, until the signal or the lab's end.
 * @throws LabError when the fence was not shown to work for a host that has domains
 */
export async function watch(app: AppContext, lab: string, { fence, signal, onEvent }: WatchOptions): Promise<void> {
  requireRoot(app, "watch");
  await requireStoredLab(app, lab);
  const moves = Object.values(await readMoves(app, lab));
  const hosts = new Set(moves.flatMap(({ phase, host }) => (phase === "there" ? [host] : [])));
  if (fence !== null || hosts.size > 0) await requirePackages(app, ["iputils-ping"]);
  if (fence !== null) {
    for (const host of hosts) {
      const shown = await requireShown(app, lab, { host, command: fence });
      onEvent({ event: "trusting", ...shown });
    }
  }
  const over = new AbortController();
  const options = { signal: AbortSignal.any([signal, over.signal]), onEvent };
  const both = [watchLab(app, lab, options), watchHosts(app, lab, { ...options, command: fence })].map((one) =>
    one.finally(() => over.abort(new LabError("the watch has ended"))),
  );
  for (const one of await Promise.allSettled(both)) if (one.status === "rejected") throw one.reason;
}

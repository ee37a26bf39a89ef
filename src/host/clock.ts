import { setMaxListeners } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Clock } from "./host.ts";

export function createClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    async sleep(ms, signal) {
      // One signal may end any number of sleeps; Node warns from the eleventh listener on.
      if (signal !== undefined) setMaxListeners(0, signal);
      try {
        await setTimeout(ms, undefined, signal && { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw error;
      }
    },
  };
}

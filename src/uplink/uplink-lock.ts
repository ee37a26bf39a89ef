import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { UplinkFiles } from "./uplink-record.ts";

/** A join or a way back takes a fraction of a second. */
const WAIT_MS = 20_000;
const POLL_MS = 20;

/**
 * Does the work while nobody else joins, confirms or puts back this uplink; so of a confirmation and a deadline that come at
 * once, one wins, and the other sees it. The file goes with the record.
 */
export async function withUplinkLock<T>(host: Host, files: UplinkFiles, work: () => Promise<T>): Promise<T> {
  const deadline = host.clock.monotonicMs() + WAIT_MS;
  for (;;) {
    const lock = host.tryLock(files.lock);
    if (lock !== null) {
      try {
        return await work();
      } finally {
        if (!(await host.files.exists(files.record))) await host.files.remove(files.lock);
        lock.release();
      }
    }
    if (host.clock.monotonicMs() > deadline) {
      throw new LabError(`another cloison is at work on the uplink ${files.record}`, {
        hint: "wait for it to end",
        exit: ExitCode.busy,
      });
    }
    await host.clock.sleep(POLL_MS);
  }
}

import type { Host } from "../host/host.ts";
import { putBack } from "./leave-uplink.ts";
import { withUplinkLock } from "./uplink-lock.ts";
import { readRecord, rolledBackFile, uptimeS, type UplinkFiles } from "./uplink-record.ts";

/** How often it looks whether it is still needed. */
const POLL_MS = 200;
/** Between attempts to put back what would not be put back. */
const RETRY_MS = 2000;

/**
 * Waits for the deadline of an uplink and puts the card back, unless it is confirmed or put back before. Tries for as long as
 * it takes: nobody else may be there to.
 */
export async function watchDeadline(
  host: Host,
  files: UplinkFiles,
  say: (line: string) => void,
): Promise<"confirmed" | "gone" | "rolled back"> {
  for (;;) {
    const record = await readRecord(host, files);
    if (record === null) return "gone";
    if (record.confirm === null || record.confirm.confirmed) return "confirmed";
    if ((await uptimeS(host)) < record.confirm.deadlineS) {
      await host.clock.sleep(POLL_MS);
      continue;
    }
    try {
      return await withUplinkLock(host, files, async () => {
        // Whoever had the lock may have confirmed in time, or put it back.
        const current = await readRecord(host, files);
        if (current === null) return "gone";
        if (current.confirm === null || current.confirm.confirmed) return "confirmed";
        await host.files.replaceText(rolledBackFile(files), current.plan.card);
        await putBack(host, files, current);
        return "rolled back";
      });
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      await host.clock.sleep(RETRY_MS);
    }
  }
}

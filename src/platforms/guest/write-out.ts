import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Guest } from "./agent-lines.ts";
import { execInGuest } from "./exec.ts";
import { BUSYBOX } from "./guest-configuration.ts";

/** A guest with much to write, and little to do so with. */
const SYNC_MS = 120_000;

/** Has a guest that runs write to its disk what its programs wrote: it lies in its memory for half a minute. */
export async function writeOut(host: Host, guest: Guest): Promise<void> {
  const { code, timedOut } = await execInGuest(host, guest, [BUSYBOX, "sync"], { timeoutMs: SYNC_MS });
  if (code === 0) return;
  throw new LabError(
    `domain ${guest.name} ${timedOut ? "is not done with writing" : "cannot write"} its files to its disk`,
    { hint: "one that is paused is copied as it is: cloison pause" },
  );
}

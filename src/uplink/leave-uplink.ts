import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { endGuard } from "./guard-uplink.ts";
import { observeUplink, runSteps } from "./observe-uplink.ts";
import { withUplinkLock } from "./uplink-lock.ts";
import { machineNamespace, readRecord, uptimeS, type UplinkFiles, type UplinkRecord } from "./uplink-record.ts";
import { leaveSteps } from "./uplink-steps.ts";

/** `vanished`: the card is no longer there; the bridge is gone all the same. */
export type LeaveOutcome = "put back" | "vanished" | "nothing to do";

/** Times that what is missing is looked for and done; the last finds nothing. */
const ATTEMPTS = 4;

/**
 * Puts the card back as its record says, wherever a crash or a deadline has left it, ends the watchdog, and removes the record.
 * Idempotent.
 * @throws LabError when something could not be put back; the record stays for the next time
 */
export async function leaveUplink(host: Host, files: UplinkFiles): Promise<LeaveOutcome> {
  return withUplinkLock(host, files, async () => {
    const record = await readRecord(host, files);
    const outcome = record === null ? "nothing to do" : await putBack(host, files, record);
    await endGuard(host, files);
    return outcome;
  });
}

/** As `leaveUplink`, for whoever holds the lock. The watchdog ends by itself when it finds no record. */
export async function putBack(host: Host, files: UplinkFiles, record: UplinkRecord): Promise<"put back" | "vanished"> {
  const { plan } = record;
  const namespace = await machineNamespace(host);
  if (namespace !== record.namespace) {
    throw new LabError(
      `${plan.card} was joined to lab ${plan.lab} from another network namespace, ${record.namespace}`,
      {
        hint: `run cloison there; if that namespace is gone, remove ${files.record}`,
      },
    );
  }
  const elapsedS = (await uptimeS(host)) - record.readS;
  let failure: unknown = null;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const now = await observeUplink(host, record);
    const steps = leaveSteps(record, now, elapsedS);
    if (steps.length === 0) {
      await host.files.remove(files.record);
      return now.card === null ? "vanished" : "put back";
    }
    try {
      await runSteps(host, steps);
      failure = null;
    } catch (error) {
      // Something may have changed since it was looked at; the next attempt looks again.
      failure = error;
    }
  }
  const why = failure instanceof Error ? `: ${failure.message}` : "";
  throw new LabError(`${plan.card} is not as it was before it joined lab ${plan.lab}${why}`, {
    hint: `what it was is in ${files.record}; \`cloison down ${plan.lab}\` tries again`,
    cause: failure,
  });
}

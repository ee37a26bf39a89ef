import type { Host } from "../host/host.ts";
import { endGuard } from "./guard-uplink.ts";
import { putBack } from "./leave-uplink.ts";
import { withUplinkLock } from "./uplink-lock.ts";
import { readRecord, rolledBackFile, uptimeS, writeRecord, type UplinkFiles } from "./uplink-record.ts";

/** What became of one real interface. */
export interface Confirmation {
  interface: string;
  /** `too late`: the deadline has passed, and it is as it was before it joined. */
  outcome: "confirmed" | "confirmed already" | "needs none" | "too late";
}

/** Confirms an uplink, unless its deadline has passed: then it has been put back, or is now. null: there is none. */
export async function confirmUplink(host: Host, files: UplinkFiles): Promise<Confirmation | null> {
  return withUplinkLock(host, files, async () => {
    const record = await readRecord(host, files);
    if (record === null) {
      const name = await host.files.readTextIfExists(rolledBackFile(files));
      return name === null ? null : { interface: name, outcome: "too late" };
    }
    const { card } = record.plan;
    if (record.confirm === null) return { interface: card, outcome: "needs none" };
    if (record.confirm.confirmed) return { interface: card, outcome: "confirmed already" };
    if ((await uptimeS(host)) >= record.confirm.deadlineS) {
      await host.files.replaceText(rolledBackFile(files), card);
      await putBack(host, files, record);
      return { interface: card, outcome: "too late" };
    }
    await writeRecord(host, files, { ...record, confirm: { ...record.confirm, confirmed: true } });
    await endGuard(host, files);
    return { interface: card, outcome: "confirmed" };
  });
}

import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { checkUplink } from "./check-uplink.ts";
import { startGuard } from "./guard-uplink.ts";
import { putBack } from "./leave-uplink.ts";
import { observeUplink, runSteps } from "./observe-uplink.ts";
import type { UplinkPlan } from "./plan-uplink.ts";
import { withUplinkLock } from "./uplink-lock.ts";
import {
  machineNamespace,
  readRecord,
  rolledBackFile,
  uptimeS,
  writeRecord,
  type UplinkFiles,
  type UplinkRecord,
} from "./uplink-record.ts";
import { joinSteps } from "./uplink-steps.ts";

export interface JoinOptions {
  files: UplinkFiles;
  /** Writes the undo to the lab's journal; returns when it is on the disk. Called before anything is touched. */
  recordUndo(): Promise<void>;
  /** Everything is put back after so long, unless it is confirmed; null: it stays. */
  confirmWithinMs: number | null;
}

/**
 * Joins a real interface to a LAN of the lab: a bridge in the machine's namespace takes its place, with its addresses and
 * routes, and a wire leads from there to the LAN's switch. The card stays in its namespace. One that is joined already is
 * left alone, but for what is missing.
 * @returns whether anything was done
 * @throws LabError when the interface may not join, or the kernel refuses; then it is as it was
 */
export async function joinUplink(host: Host, plan: UplinkPlan, options: JoinOptions): Promise<boolean> {
  const { files, confirmWithinMs } = options;
  return withUplinkLock(host, files, async () => {
    const found = await readRecord(host, files);
    if (found !== null) {
      const { card, bridge } = await observeUplink(host, found);
      if (found.plan.card === plan.card && bridge !== null && card?.master === bridge.name)
        return complete(host, found);
      // A join that a crash cut off.
      await putBack(host, files, found);
    }

    const card = await checkUplink(host, plan, confirmWithinMs !== null);
    const readS = await uptimeS(host);
    const record: UplinkRecord = {
      bootId: host.machine.bootId,
      namespace: await machineNamespace(host),
      readS,
      plan,
      card,
      confirm: confirmWithinMs === null ? null : { deadlineS: readS + confirmWithinMs / 1000, confirmed: false },
    };
    await options.recordUndo();
    await host.files.remove(rolledBackFile(files));
    await writeRecord(host, files, record);
    try {
      // Before the card is touched: whatever ends this process from here on, the deadline is kept.
      if (record.confirm !== null) await startGuard(host, files);
      return await complete(host, record);
    } catch (error) {
      await putBack(host, files, record);
      throw error instanceof LabError
        ? new LabError(`${plan.card} did not join lab ${plan.lab}, and is as it was: ${error.message}`, {
            cause: error,
          })
        : error;
    }
  });
}

/** Takes the steps that are missing; returns whether there were any. */
async function complete(host: Host, record: UplinkRecord): Promise<boolean> {
  const steps = joinSteps(record, await observeUplink(host, record), (await uptimeS(host)) - record.readS);
  await runSteps(host, steps.prepare);
  await runSteps(host, steps.lan, record.plan.lanNamespace);
  await runSteps(host, steps.move);
  return steps.prepare.length + steps.lan.length + steps.move.length > 0;
}

import type { Host } from "../host/host.ts";
import type { CardState } from "./observe-card.ts";
import type { UplinkPlan } from "./plan-uplink.ts";

/** Where what is known of one uplink stands; absolute paths. */
export interface UplinkFiles {
  /** What was moved, and how to put it back; there is one as long as there may be anything to put back. */
  record: string;
  /** Held by whoever joins, confirms or puts back. */
  lock: string;
  /**
   * The watchdog's control group. Beside the labs' groups, for `down` ends all that is in a lab's; and no part of the user's
   * session, which may be ended as a whole.
   */
  cgroup: string;
}

/** Written, and synced, before the card is touched. */
export interface UplinkRecord {
  bootId: string;
  /** The network namespace that plays the machine, as the kernel names it. */
  namespace: string;
  /** Seconds since boot when the card was read; lifetimes have run down since. */
  readS: number;
  plan: UplinkPlan;
  /** The card as it was. */
  card: CardState;
  /** null: needs no confirmation. */
  confirm: { deadlineS: number; confirmed: boolean } | null;
}

/** Beside the record: names the card when a deadline went by and it was put back. */
export const rolledBackFile = ({ record }: UplinkFiles) => `${record}.rolled-back`;
/** Beside the record: what the watchdog says. */
export const guardLog = ({ record }: UplinkFiles) => `${record}.log`;

/** null: nothing is to be put back; also when the record is of an earlier boot, which took everything along. */
export async function readRecord(host: Host, files: UplinkFiles): Promise<UplinkRecord | null> {
  const text = await host.files.readTextIfExists(files.record);
  const record = text === null ? null : (JSON.parse(text) as UplinkRecord);
  return record?.bootId === host.machine.bootId ? record : null;
}

export async function writeRecord(host: Host, files: UplinkFiles, record: UplinkRecord): Promise<void> {
  await host.files.replaceText(files.record, JSON.stringify(record, null, 2));
}

/** Seconds since boot: the one monotonic clock that all processes share. It goes on while the machine sleeps. */
export async function uptimeS(host: Host): Promise<number> {
  return Number((await host.files.readText("/proc/uptime")).split(" ")[0]);
}

/** The network namespace that this process is in, as `net:[4026531840]`. */
export async function machineNamespace(host: Host): Promise<string> {
  return (await host.processes.must({ argv: ["readlink", "/proc/self/ns/net"] })).trim();
}

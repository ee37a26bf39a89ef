import { createHash } from "node:crypto";
import type { LabPlan } from "../model/plan.ts";

/** Everything of one uplink that is decided before anything is touched. */
export interface UplinkPlan {
  lab: string;
  /** Position of the network: its switch is `lan<index>`. */
  lan: number;
  lanNamespace: string;
  /** The real interface; it stays in the machine's namespace. */
  card: string;
  /** The bridge there that the card becomes a port of. */
  bridge: string;
  /** Veth from that bridge, and its end in the LAN's namespace. */
  wire: string;
  lanEnd: string;
}

/** Name, in the LAN's namespace, of the port through which a real interface joins `lan<index>`. */
export const uplinkPort = (lan: number) => `card${lan}`;

/** Names are drawn from a hash of the lab's, because an interface name holds 15 bytes and a lab's may be longer. Pure. */
export function planUplink(
  { lab, lanNamespace }: Pick<LabPlan, "lab" | "lanNamespace">,
  lan: number,
  card: string,
): UplinkPlan {
  const hash = createHash("sha256").update(`${lab}/${lan}`).digest("hex").slice(0, 8);
  return { lab, lan, lanNamespace, card, bridge: `clbr${hash}`, wire: `clup${hash}`, lanEnd: uplinkPort(lan) };
}

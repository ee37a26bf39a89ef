import { installPackages } from "../src/host/debian-packages.ts";
import type { AtEnd } from "./at-end.ts";
import { startTime } from "./cloison-lab.ts";
import { applyRows } from "./network-apply.ts";
import { NetworkBed, type Say } from "./network-bed.ts";
import { cycleRows } from "./network-cycles.ts";
import { planRows } from "./network-plans.ts";
import { throughputRows } from "./network-throughput.ts";
import { verifyRows } from "./network-verify.ts";
import type { Row } from "./row.ts";

/** Debian's; Mininet recommends Open vSwitch, which a Linux bridge does not need. */
const PACKAGES = ["bridge-utils", "iperf3", "iproute2", "iputils-ping", "mininet", "nftables", "procps"];

/** Labs' networks: how fast they are planned, verified, changed, brought up and down, and how fast TCP is in them. Wants root. */
export async function networksBench(say: Say, atEnd: AtEnd): Promise<Row[]> {
  const bed = await NetworkBed.make(say, atEnd);
  await installPackages(bed.host, PACKAGES, { onProgress: say });
  const start = await startTime(bed.host);
  return [
    ...planRows(say),
    ...(await verifyRows(bed)),
    ...(await applyRows(bed, start)),
    ...(await throughputRows(bed)),
    ...(await cycleRows(bed, start)),
  ];
}

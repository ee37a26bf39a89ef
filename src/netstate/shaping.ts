import type { Host } from "../host/host.ts";
import type { NetlinkSocket } from "../host/netlink.ts";
import type { QdiscEntry } from "../host/netlink-entry.ts";
import { LabError } from "../model/error.ts";
import type { Shaping } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";

/** Root qdiscs that the plan's shaping consists of. */
export const SHAPING_QDISCS = new Set(["tbf", "netem"]);

/** TBF may send so much at once: what the rate allows in this time, but at least two frames. */
const BURST_S = 0.01;
/** And delays so much, or so many frames, before it drops. */
const QUEUE_S = 0.05;
const QUEUE_FRAMES = 20;
const FRAME_BYTES = 1514;
/** Frames under way in netem; its default of 1000 would itself drop on fast links. */
const NETEM_FRAMES = 100_000;

/** Of netem's qdisc below which TBF's stands: one that nobody else is likely to choose. */
const NETEM_HANDLE = "c10:";
/** Where TBF's stands, `c10:1`, as a number. */
const NETEM_CHILD = 0xc10_0001;

/** Lines for `tc -batch` that give the link this shaping in place of what it has; none of both is undefined. */
export function shapingCommands(link: string, wanted: Shaping | undefined, observed: Shaping | undefined): string[] {
  // In place the kernel changes a qdisc's values; of another kind it is made anew, with what stands below.
  const removal = observed === undefined || sameQdiscs(wanted, observed) ? [] : [`qdisc del dev ${link} root`];
  return [...removal, ...(wanted === undefined || isNone(wanted) ? [] : additions(link, wanted))];
}

function additions(link: string, shaping: Shaping): string[] {
  const { rateBitsPerSecond, delayMs, lossPercent } = shaping;
  const netem = [
    ...(delayMs === undefined ? [] : [`delay ${Math.round(delayMs * 1000)}us`]),
    ...(lossPercent === undefined ? [] : [`loss ${lossPercent}%`]),
  ];
  const tbf = rateBitsPerSecond === undefined ? null : tbfOptions(rateBitsPerSecond);
  if (netem.length === 0) return [`qdisc replace dev ${link} root ${tbf}`];
  return [
    `qdisc replace dev ${link} root handle ${NETEM_HANDLE} netem limit ${NETEM_FRAMES} ${netem.join(" ")}`,
    ...(tbf === null ? [] : [`qdisc replace dev ${link} parent ${NETEM_HANDLE}1 ${tbf}`]),
  ];
}

function sameQdiscs(a: Shaping | undefined, b: Shaping): boolean {
  const kinds = ({ rateBitsPerSecond, delayMs, lossPercent }: Shaping) =>
    `${rateBitsPerSecond !== undefined} ${delayMs !== undefined || lossPercent !== undefined}`;
  return a !== undefined && !isNone(a) && kinds(a) === kinds(b);
}

function isNone({ rateBitsPerSecond, delayMs, lossPercent }: Shaping): boolean {
  return rateBitsPerSecond === undefined && delayMs === undefined && lossPercent === undefined;
}

function tbfOptions(rateBitsPerSecond: number): string {
  const bytesPerSecond = rateBitsPerSecond / 8;
  const burst = Math.max(Math.ceil(bytesPerSecond * BURST_S), 2 * FRAME_BYTES);
  const queue = Math.max(Math.ceil(bytesPerSecond * QUEUE_S), QUEUE_FRAMES * FRAME_BYTES);
  return `tbf rate ${rateBitsPerSecond}bit burst ${burst}b limit ${burst + queue}b`;
}

/** Key: the link's index. Links without shaping of ours are left out. */
export function shapingByLink(qdiscs: readonly QdiscEntry[]): Map<number, Shaping> {
  const shapings = new Map<number, Shaping>();
  for (const { linkIndex, kind, rateBytesPerSecond, delayNs, loss } of qdiscs) {
    if (!SHAPING_QDISCS.has(kind)) continue;
    shapings.set(linkIndex, {
      ...shapings.get(linkIndex),
      ...(rateBytesPerSecond === null ? {} : { rateBitsPerSecond: rateBytesPerSecond * 8 }),
      // The kernel counts in ticks of 64 ns, and losses in parts of 2^32.
      ...(delayNs === null || delayNs === 0 ? {} : { delayMs: rounded(delayNs / 1e6, 3) }),
      ...(loss === null || loss === 0 ? {} : { lossPercent: rounded(loss * 100, 4) }),
    });
  }
  return shapings;
}

/** The shaping of one link, whose root qdisc is one of ours. */
export function readShaping(socket: NetlinkSocket, linkIndex: number): Shaping | undefined {
  const root = socket.qdisc(linkIndex);
  const below = root?.kind === "netem" ? socket.qdisc(linkIndex, NETEM_CHILD) : null;
  return shapingByLink([root, below].flatMap((qdisc) => qdisc ?? [])).get(linkIndex);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Whether two links are shaped alike. The kernel keeps whole bytes a second. */
export function sameShaping(a: Shaping | undefined, b: Shaping | undefined): boolean {
  return canonicalShaping(a) === canonicalShaping(b);
}

function canonicalShaping({ rateBitsPerSecond, delayMs, lossPercent }: Shaping = {}): string {
  const bytesPerSecond = rateBitsPerSecond === undefined ? null : Math.floor(rateBitsPerSecond / 8);
  return JSON.stringify([
    bytesPerSecond,
    delayMs === undefined ? null : rounded(delayMs, 3),
    lossPercent === undefined ? null : rounded(lossPercent, 4),
  ]);
}

/** Sets the shaping of links of a namespace, in one go. Throws LabError, which names the remedy where the kernel cannot do it. */
export async function setShaping(
  host: Host,
  namespace: NamespaceName,
  links: readonly { link: string; wanted: Shaping | undefined; observed: Shaping | undefined }[],
): Promise<void> {
  const lines = links.flatMap(({ link, wanted, observed }) => shapingCommands(link, wanted, observed));
  const { code, stderr } = await host.processes.run({
    argv: ["tc", "-batch", "-"],
    namespace,
    stdin: `${lines.join("\n")}\n`,
  });
  if (code === 0) return;
  const failed = lines[Number(/Command failed -:(\d+)/.exec(stderr)?.[1] ?? 0) - 1] ?? lines[0] ?? "";
  const netem = failed.includes("netem") && stderr.includes("kind is unknown");
  throw new LabError(`${namespace}: tc ${failed}: ${stderr.trim().split("\n")[0] ?? ""}`, {
    hint: netem
      ? "this machine's kernel has no netem (`modprobe sch_netem` may load it): without `delay` and `loss` the lab needs none"
      : "`cloison check` says what this machine's kernel can do",
  });
}

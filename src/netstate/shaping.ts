import type { Host } from "../host/host.ts";
import type { NetlinkSocket } from "../host/netlink.ts";
import type { QdiscEntry } from "../host/netlink-entry.ts";
import { LabError } from "../model/error.ts";
import type { Shaping } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { shapingCommands } from "../model/shaping-commands.ts";

/** Root qdiscs that the plan's shaping consists of. */
export const SHAPING_QDISCS = new Set(["tbf", "netem"]);

/** Where TBF's stands, `c10:1`, as a number. */
const NETEM_CHILD = 0xc10_0001;

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

import type { Shaping } from "./network-state.ts";

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

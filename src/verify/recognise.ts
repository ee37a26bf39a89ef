import { TcpFlag, type Frame, type IpPacket } from "../model/frame.ts";
import { readMark } from "./mark.ts";
import { datagramMark } from "./probe-packets.ts";

export type Part = "request" | "reply" | "error";

/** What a frame has to do with probes. By `mark`: which probe's. By `tcp`: of the connection that began with this number. By `neighbour`: who asked for whom. */
export type Recognised = {
  part: Part;
  source: string;
  destination: string;
  ttl: number;
  icmp: { type: number; code: number } | null;
} & (
  | { by: "mark"; index: number; attempt: number; destinationPort: number | null }
  | { by: "tcp"; initialSequence: number; sourcePort: number; destinationPort: number; flags: number }
  | { by: "neighbour"; asker: string; target: string; mac: string }
);

/** null: nothing of ours. */
export function recognise(run: Uint8Array, frame: Frame): Recognised | null {
  const { packet } = frame;
  if (packet === null) return null;
  if (packet.kind === "ip") return recognisePacket(run, frame, packet);
  const isRequest = packet.operation === 1;
  if (!isRequest && packet.operation !== 2) return null;
  return {
    by: "neighbour",
    part: isRequest ? "request" : "reply",
    source: packet.senderAddress,
    destination: packet.targetAddress,
    ttl: 0,
    icmp: null,
    asker: isRequest ? packet.senderMac : packet.targetMac,
    target: isRequest ? packet.targetAddress : packet.senderAddress,
    mac: packet.senderMac,
  };
}

function recognisePacket(run: Uint8Array, frame: Frame, packet: IpPacket): Recognised | null {
  const { payload, source, destination, ttl } = packet;
  const common = { source, destination, ttl, icmp: null };
  if (payload === null) return null;
  if (payload.kind === "udp") {
    const mark = datagramMark(run, payload.data);
    if (mark === null) return null;
    const { index, attempt, response } = mark;
    const { destinationPort } = payload;
    return { ...common, by: "mark", part: response ? "reply" : "request", index, attempt, destinationPort };
  }
  if (payload.kind === "tcp") {
    const { sourcePort, destinationPort, sequence, acknowledgement, flags } = payload;
    // A quoted segment may end before its flags; only a connection's first is ever waited for.
    const begins = acknowledgement === null || ((flags & TcpFlag.syn) !== 0 && (flags & TcpFlag.ack) === 0);
    const answers = (flags & TcpFlag.ack) !== 0 && (flags & (TcpFlag.syn | TcpFlag.rst)) !== 0;
    if (!begins && !answers) return null;
    const initialSequence = begins ? sequence : (acknowledgement - 1) >>> 0;
    const part = begins ? "request" : "reply";
    return { ...common, by: "tcp", part, initialSequence, sourcePort, destinationPort, flags };
  }
  if (payload.quoted !== null) {
    const quoted = recognisePacket(run, frame, payload.quoted);
    if (quoted === null || quoted.by === "neighbour") return null;
    return { ...quoted, source, destination, ttl, part: "error", icmp: { type: payload.type, code: payload.code } };
  }
  if (payload.target !== null) {
    const isRequest = payload.type === 135;
    return {
      ...common,
      by: "neighbour",
      part: isRequest ? "request" : "reply",
      asker: isRequest ? frame.source : frame.destination,
      target: payload.target,
      mac: frame.source,
    };
  }
  const [request, reply] = packet.version === 4 ? [8, 0] : [128, 129];
  if (payload.type !== request && payload.type !== reply) return null;
  const mark = readMark(run, payload.body);
  if (mark === null) return null;
  return {
    ...common,
    ...mark,
    by: "mark",
    part: payload.type === request ? "request" : "reply",
    destinationPort: null,
  };
}

import { decodeIcmp, decodeIp, IpProtocol, type IcmpMessage } from "../model/frame.ts";
import { readMark } from "./mark.ts";

/** What a raw ICMP socket was handed about an echo request of ours. */
export interface IcmpNews {
  index: number;
  kind: "reply" | "error";
  type: number;
  code: number;
}

/** `bytes`: an IPv4 packet, or a bare ICMPv6 message, as raw(7) delivers them. null: nothing about an echo of ours. */
export function icmpNews(run: Uint8Array, version: 4 | 6, bytes: Uint8Array): IcmpNews | null {
  const message = version === 4 ? decodeIp(bytes)?.payload : bareMessage(bytes);
  if (message?.kind !== "icmp") return null;
  const { type, code } = message;
  const echoed = message.quoted?.payload;
  const isReply = type === (version === 4 ? 0 : 129);
  const body = isReply ? message.body : echoed?.kind === "icmp" ? echoed.body : null;
  const mark = body === null ? null : readMark(run, body);
  return mark === null ? null : { index: mark.index, kind: isReply ? "reply" : "error", type, code };
}

/** Whether an error ends the wait: a redirect does not, and a packet that was too large goes again in fragments unless it may not. */
export function isFinal(
  version: 4 | 6,
  { type, code }: { type: number; code: number },
  dontFragment: boolean,
): boolean {
  const isTooBig = version === 4 ? type === 3 && code === 4 : type === 2;
  if (isTooBig) return dontFragment;
  return version === 4 ? type === 3 || type === 11 || type === 12 : type >= 1 && type <= 4;
}

function bareMessage(bytes: Uint8Array): IcmpMessage | null {
  if (bytes.length < 8) return null;
  return decodeIcmp(IpProtocol.icmpv6, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
}

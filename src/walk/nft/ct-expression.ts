import type { IpPacket } from "../packet.ts";
import type { Scene } from "./chain.ts";
import { ADDRESS } from "./datatype.ts";
import type { Expression } from "./expression.ts";
import { NUMBER, CT_STATE, CT_STATUS, DIRECTION } from "./field-types.ts";

/** `ct state`, `ct status`, … */
export function compileCt(key: unknown, direction: unknown): Expression | null {
  switch (key) {
    case "state":
      return {
        type: CT_STATE,
        read: ({ frame: { packet } }) => {
          if (packet.kind === "arp" || packet.tracked === null) return "1";
          if (packet.tracked === "untracked") return "64";
          return packet.tracked.state === "new" ? "8" : "2";
        },
      };
    case "status":
      return {
        type: CT_STATUS,
        read: (scene) =>
          ofConnection(scene, ({ connection: { translated, seenReply } }) => {
            return String((translated.source ? 16 : 0) | (translated.destination ? 32 : 0) | (seenReply ? 2 | 8 : 0));
          }),
      };
    case "direction":
      return { type: DIRECTION, read: (scene) => ofConnection(scene, ({ inReply }) => (inReply ? "1" : "0")) };
    case "mark":
      return { type: NUMBER, read: (scene) => ofConnection(scene, ({ connection }) => String(connection.mark)) };
    default:
      return compileTuple(String(key), direction);
  }
}

/** `ct original ip saddr`, `ct reply proto-dst`, … */
function compileTuple(key: string, direction: unknown): Expression | null {
  const [, family, end] = /^(?:(ip6?) )?([sd]addr|proto-(?:src|dst))$/.exec(key) ?? [];
  if (end === undefined || (direction !== "original" && direction !== "reply")) return null;
  const read = (scene: Scene) =>
    ofConnection(scene, ({ connection }) => {
      const tuple = connection[direction];
      if (end === "proto-src") return String(tuple.sourcePort);
      if (end === "proto-dst") return String(tuple.destinationPort);
      const address = end === "saddr" ? tuple.source : tuple.destination;
      return family === undefined || (family === "ip") === (address.family === 4) ? address.text : undefined;
    });
  return { type: end.startsWith("proto") ? NUMBER : ADDRESS, read };
}

function ofConnection(
  { frame: { packet } }: Scene,
  read: (tracked: Exclude<IpPacket["tracked"], "untracked" | null>) => string | undefined,
): string | undefined {
  if (packet.kind === "arp" || packet.tracked === null || packet.tracked === "untracked") return undefined;
  return read(packet.tracked);
}

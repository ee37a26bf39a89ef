import type { Ip } from "./ip-address.ts";
import type { IpPacket } from "./packet.ts";

/** One direction of a connection, as `conntrack -L` shows it. */
export interface Tuple {
  protocol: IpPacket["protocol"];
  source: Ip;
  destination: Ip;
  sourcePort: number;
  destinationPort: number;
}

/** An entry of a namespace's conntrack table: the first packet's direction, and what its answers look like. */
export interface Connection {
  original: Tuple;
  reply: Tuple;
  seenReply: boolean;
  /** NAT decides once for each: at the first packet (nf_nat_initialized). */
  decided: { source: boolean; destination: boolean };
  translated: { source: boolean; destination: boolean };
  mark: number;
}

/** Conntrack of one namespace, empty when a walk begins. */
export class Connections {
  readonly #byTuple = new Map<string, { connection: Connection; inReply: boolean }>();

  /**
   * What a packet belongs to; makes an entry for the first of a connection. null: invalid, an answer to nothing
   * (tcp_new and icmp_new in net/netfilter/nf_conntrack_proto_*.c; UDP has no invalid beginnings).
   */
  track(packet: IpPacket): Exclude<IpPacket["tracked"], "untracked"> {
    const found = this.#byTuple.get(keyOf(packet));
    if (found !== undefined) {
      const { connection, inReply } = found;
      if (inReply) connection.seenReply = true;
      return { connection, inReply, state: connection.seenReply ? "established" : "new" };
    }
    if (packet.isAnswer && packet.protocol !== "udp") return null;
    const { protocol, source, destination, sourcePort, destinationPort } = packet;
    const connection: Connection = {
      original: { protocol, source, destination, sourcePort, destinationPort },
      reply: {
        protocol,
        source: destination,
        destination: source,
        sourcePort: destinationPort,
        destinationPort: sourcePort,
      },
      seenReply: false,
      decided: { source: false, destination: false },
      translated: { source: false, destination: false },
      mark: 0,
    };
    this.#byTuple.set(keyOf(connection.original), { connection, inReply: false });
    this.#byTuple.set(keyOf(connection.reply), { connection, inReply: true });
    return { connection, inReply: false, state: "new" };
  }

  /** Changes what the connection's answers look like. */
  expect(connection: Connection, change: Partial<Tuple>): void {
    this.#byTuple.delete(keyOf(connection.reply));
    Object.assign(connection.reply, change);
    this.#byTuple.set(keyOf(connection.reply), { connection, inReply: true });
  }
}

function keyOf({ protocol, source, destination, sourcePort, destinationPort }: Tuple): string {
  return `${protocol} ${source.text} ${sourcePort} ${destination.text} ${destinationPort}`;
}

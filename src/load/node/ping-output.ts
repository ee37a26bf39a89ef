/** A line of `ping -n -D -O` that says something about one echo request. */
interface PingLine {
  /** When it was printed, s since the epoch; with a reply, its arrival. */
  atSeconds: number;
  /** 16 bits: it wraps. */
  sequence: number;
  kind: "reply" | "unreachable";
  /** Round trip of a reply, ms. */
  roundTripMs: number;
}

const REPLY = /^\[(\d+\.\d+)\] \d+ bytes from \S+ icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms( \(DUP!\))?$/;
const UNREACHABLE = /^(?:\[(\d+\.\d+)\] )?From \S+ icmp_seq=(\d+) (?:Destination|Packet filtered|Dest Unreachable)/;

/** Reads one line; null for others: headings, "no answer yet", duplicates, statistics. */
export function parsePingLine(line: string): PingLine | null {
  const reply = REPLY.exec(line);
  if (reply !== null) {
    if (reply[4] !== undefined) return null;
    return { atSeconds: Number(reply[1]), sequence: Number(reply[2]), kind: "reply", roundTripMs: Number(reply[3]) };
  }
  const unreachable = UNREACHABLE.exec(line);
  if (unreachable === null) return null;
  return {
    atSeconds: Number(unreachable[1] ?? 0),
    sequence: Number(unreachable[2]),
    kind: "unreachable",
    roundTripMs: 0,
  };
}

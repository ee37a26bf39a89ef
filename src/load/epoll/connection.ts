import type { ResponseParser } from "../response-parser.ts";
import type { Expiring } from "../timeout-list.ts";

export const ConnectionState = {
  closed: 0,
  connecting: 1,
  /** For an answer. */
  waiting: 2,
  /** Kept, without a request. */
  idle: 3,
  /** Answered; the server's FIN is to come. */
  closing: 4,
} as const;
export type ConnectionState = (typeof ConnectionState)[keyof typeof ConnectionState];

/** What the loop knows about the connection on one descriptor. */
export class Connection implements Expiring {
  readonly fd: number;
  readonly parser: ResponseParser;
  state: ConnectionState = ConnectionState.closed;
  /** Counts the descriptor's users: an event of the one before may still be in hand. */
  generation = 0;
  /** The request under way. */
  row = -1;
  startNs = 0;
  /** Bytes of the request that the kernel has taken. */
  sent = 0;
  /** Whether it had carried a request before this one. */
  reused = false;
  /** Place among the idle connections. */
  place = -1;
  deadlineNs = 0;
  earlier: this | null = null;
  later: this | null = null;
  listed = false;

  constructor(fd: number, parser: ResponseParser) {
    this.fd = fd;
    this.parser = parser;
  }

  begin(row: number, startNs: number, reused: boolean): void {
    this.row = row;
    this.startNs = startNs;
    this.reused = reused;
    this.sent = 0;
    this.parser.reset();
  }
}

/** Connections kept for the next request; the one used last goes first, as its caches are warm. */
export class IdleConnections {
  private readonly list: Connection[] = [];

  add(connection: Connection): void {
    connection.place = this.list.length;
    this.list.push(connection);
  }

  take(): Connection | null {
    return this.list.pop() ?? null;
  }

  remove(connection: Connection): void {
    const last = this.list.pop();
    if (last === undefined || last === connection) return;
    this.list[connection.place] = last;
    last.place = connection.place;
  }
}

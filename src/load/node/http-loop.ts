import { createConnection, type Socket } from "node:net";
import { FIN_WAIT_MS, STALE_NS } from "../connection-times.ts";
import { kindOfErrorCode } from "../errno-kind.ts";
import type { HttpJob } from "../load.ts";
import { ErrorCode } from "../recorder.ts";
import { requestBytes } from "../request.ts";
import { HeadMemory, ResponseParser, ResponseState } from "../response-parser.ts";
import type { LiveCounts } from "../summary.ts";
import { TimeoutList, type Expiring } from "../timeout-list.ts";
import { NodeLoop } from "./node-loop.ts";

const RECEIVE_BYTES = 256 * 1024;

class NodeConnection implements Expiring {
  readonly parser: ResponseParser;
  socket: Socket;
  state: "connecting" | "waiting" | "idle" | "closing" | "closed" = "connecting";
  row: number;
  startNs: number;
  reused = false;
  deadlineNs = 0;
  earlier: this | null = null;
  later: this | null = null;
  listed = false;

  constructor(parser: ResponseParser, socket: Socket, row: number, startNs: number) {
    this.parser = parser;
    this.socket = socket;
    this.row = row;
    this.startNs = startNs;
  }
}

/** The epoll engine's job over `node:net`. */
export class NodeHttpLoop extends NodeLoop {
  private readonly job: HttpJob;
  private readonly request: Uint8Array;
  private readonly heads = new HeadMemory();
  private readonly receive = new Uint8Array(RECEIVE_BYTES);
  private readonly connections = new Set<NodeConnection>();
  private readonly idle: NodeConnection[] = [];
  private readonly timeouts: TimeoutList<NodeConnection>;
  private readonly finWaits = new TimeoutList<NodeConnection>(FIN_WAIT_MS);
  private readonly concurrency: number;
  private closing = 0;

  constructor(job: HttpJob, live: LiveCounts) {
    super(job, live);
    this.job = job;
    this.request = requestBytes(job);
    this.timeouts = new TimeoutList(job.timeoutMs);
    this.concurrency = job.loop.mode === "closed" ? job.loop.concurrency : Number.POSITIVE_INFINITY;
  }

  protected room(): number {
    return this.concurrency - this.active - this.closing;
  }

  protected override isClosing(): boolean {
    return this.closing > 0;
  }

  protected begin(intendedNs: number, nowNs: number): void {
    const row = this.record(intendedNs, nowNs);
    const kept = this.idle.pop();
    if (kept === undefined) {
      this.open(row, nowNs, nowNs);
      return;
    }
    kept.state = "waiting";
    kept.row = row;
    kept.startNs = nowNs;
    kept.reused = true;
    kept.parser.reset();
    this.recorder.connected(row, 0);
    this.timeouts.add(kept, nowNs);
    kept.socket.write(this.request);
  }

  private open(row: number, startNs: number, nowNs: number): void {
    const socket = createConnection({
      host: this.job.address,
      port: this.job.port,
      noDelay: true,
      // One buffer for all: whatever comes is parsed before the next read.
      onread: {
        buffer: this.receive,
        callback: (count) => {
          this.received(connection, count);
          return true;
        },
      },
    });
    const connection = new NodeConnection(new ResponseParser(this.heads), socket, row, startNs);
    this.connections.add(connection);
    this.timeouts.add(connection, nowNs);
    socket.once("connect", () => {
      if (connection.state !== "connecting") return;
      connection.state = "waiting";
      this.recorder.connected(row, this.nowNs() - startNs);
      socket.write(this.request);
    });
    socket.once("end", () => this.ended(connection));
    socket.on("error", (error: NodeJS.ErrnoException) => this.broken(connection, error));
  }

  private received(connection: NodeConnection, count: number): void {
    if (connection.state === "idle") this.close(connection);
    if (connection.state !== "waiting") return;
    const { parser } = connection;
    const now = this.nowNs();
    if (!parser.begun) this.recorder.firstByte(connection.row, now - connection.startNs);
    if (parser.push(this.receive, 0, count) < count) parser.persistent = false;
    if (parser.state !== ResponseState.open) this.answered(connection, now, false);
  }

  /** The server's FIN. */
  private ended(connection: NodeConnection): void {
    if (connection.state === "waiting") {
      connection.parser.finish();
      this.answered(connection, this.nowNs(), true);
    } else if (connection.state !== "connecting") this.close(connection);
  }

  private answered(connection: NodeConnection, nowNs: number, ended: boolean): void {
    const { parser, row } = connection;
    if (parser.state === ResponseState.short && this.isStale(connection, nowNs)) {
      this.reopen(connection, nowNs);
      return;
    }
    this.recorder.answer(row, parser.status, parser.bodyBytes);
    if (parser.state !== ResponseState.complete) {
      this.fail(connection, parser.state === ResponseState.short ? ErrorCode.short : ErrorCode.malformed);
      return;
    }
    this.recorder.total(row, nowNs - connection.startNs);
    this.timeouts.remove(connection);
    if (ended) this.close(connection);
    else if (this.job.keepAlive && parser.persistent) {
      connection.state = "idle";
      this.idle.push(connection);
    } else {
      connection.state = "closing";
      this.closing++;
      this.finWaits.add(connection, nowNs);
    }
    this.finish(row, ErrorCode.none, nowNs - this.recorder.intendedNs(row));
  }

  private broken(connection: NodeConnection, error: NodeJS.ErrnoException): void {
    if (connection.state === "closed") return;
    if (connection.state === "idle" || connection.state === "closing") {
      this.close(connection);
      return;
    }
    const now = this.nowNs();
    const code = error.code ?? error.message;
    if ((code === "ECONNRESET" || code === "EPIPE") && this.isStale(connection, now)) {
      this.reopen(connection, now);
      return;
    }
    this.recorder.answer(connection.row, connection.parser.status, connection.parser.bodyBytes);
    try {
      this.fail(connection, ErrorCode[kindOfErrorCode(code)]);
    } catch (cause) {
      this.abort(cause instanceof Error ? cause : error);
    }
  }

  private isStale(connection: NodeConnection, nowNs: number): boolean {
    return connection.reused && !connection.parser.begun && nowNs - connection.startNs < STALE_NS;
  }

  private reopen(connection: NodeConnection, nowNs: number): void {
    this.close(connection);
    this.open(connection.row, connection.startNs, nowNs);
  }

  private fail(connection: NodeConnection, error: number): void {
    this.close(connection);
    this.finish(connection.row, error, 0);
  }

  private close(connection: NodeConnection): void {
    if (connection.state === "idle") this.idle.splice(this.idle.indexOf(connection), 1);
    if (connection.state === "closing") {
      this.closing--;
      this.finWaits.remove(connection);
    }
    this.timeouts.remove(connection);
    connection.state = "closed";
    this.connections.delete(connection);
    connection.socket.destroy();
    this.askTurn();
  }

  protected expire(nowNs: number): void {
    for (let late = this.timeouts.expired(nowNs); late !== null; late = this.timeouts.expired(nowNs)) {
      this.recorder.answer(late.row, late.parser.status, late.parser.bodyBytes);
      this.fail(late, ErrorCode.timeout);
    }
    for (let late = this.finWaits.expired(nowNs); late !== null; late = this.finWaits.expired(nowNs)) this.close(late);
  }

  protected closeAll(): void {
    for (const connection of this.connections) this.close(connection);
  }
}

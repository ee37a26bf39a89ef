import { createConnection, type Socket } from "node:net";
import { kindOfErrorCode } from "../errno-kind.ts";
import type { ConnectJob } from "../load.ts";
import { ErrorCode } from "../recorder.ts";
import type { LiveCounts } from "../summary.ts";
import { TimeoutList, type Expiring } from "../timeout-list.ts";
import { NodeLoop } from "./node-loop.ts";

class NodeAttempt implements Expiring {
  readonly socket: Socket;
  readonly row: number;
  deadlineNs = 0;
  earlier: this | null = null;
  later: this | null = null;
  listed = false;

  constructor(socket: Socket, row: number) {
    this.socket = socket;
    this.row = row;
  }
}

/** TCP connections over `node:net`, closed as soon as they stand. */
export class NodeConnectLoop extends NodeLoop {
  private readonly job: ConnectJob;
  private readonly timeouts: TimeoutList<NodeAttempt>;

  constructor(job: ConnectJob, live: LiveCounts) {
    super(job, live);
    this.job = job;
    this.timeouts = new TimeoutList(job.timeoutMs);
  }

  protected room(): number {
    return 0;
  }

  protected begin(intendedNs: number, nowNs: number): void {
    const row = this.record(intendedNs, nowNs);
    const socket = createConnection({ host: this.job.address, port: this.job.port });
    const attempt = new NodeAttempt(socket, row);
    this.timeouts.add(attempt, nowNs);
    socket.once("connect", () => {
      const now = this.nowNs();
      this.recorder.connected(row, now - nowNs);
      this.recorder.total(row, now - nowNs);
      this.end(attempt, ErrorCode.none, now - intendedNs);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!attempt.listed) return;
      try {
        this.end(attempt, ErrorCode[kindOfErrorCode(error.code ?? error.message)], 0);
      } catch (cause) {
        this.abort(cause instanceof Error ? cause : error);
      }
    });
  }

  protected expire(nowNs: number): void {
    for (let late = this.timeouts.expired(nowNs); late !== null; late = this.timeouts.expired(nowNs)) {
      this.end(late, ErrorCode.timeout, 0);
    }
  }

  protected closeAll(): void {
    for (let left = this.timeouts.first; left !== null; left = this.timeouts.first) {
      this.timeouts.remove(left);
      left.socket.destroy();
    }
  }

  private end(attempt: NodeAttempt, error: number, latencyNs: number): void {
    if (!attempt.listed) return;
    this.timeouts.remove(attempt);
    // A reset, so that no port stays in TIME_WAIT; only a connected socket can send one.
    if (error === ErrorCode.none) attempt.socket.resetAndDestroy();
    else attempt.socket.destroy();
    this.finish(attempt.row, error, latencyNs);
  }
}

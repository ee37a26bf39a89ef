import { constants } from "node:os";
import { kindOfErrno } from "../errno-kind.ts";
import type { ConnectJob } from "../load.ts";
import { ErrorCode } from "../recorder.ts";
import type { LiveCounts } from "../summary.ts";
import { TimeoutList, type Expiring } from "../timeout-list.ts";
import { EpollLoop, type LoopResources } from "./epoll-loop.ts";
import * as net from "./socket-calls.ts";

const { EINPROGRESS } = constants.errno;

class Attempt implements Expiring {
  readonly fd: number;
  generation = 0;
  row = -1;
  startNs = 0;
  intendedNs = 0;
  deadlineNs = 0;
  earlier: this | null = null;
  later: this | null = null;
  listed = false;

  constructor(fd: number) {
    this.fd = fd;
  }
}

/** TCP connections through epoll, closed as soon as they stand. */
export class ConnectLoop extends EpollLoop {
  private readonly address: net.Memory;
  private readonly option: net.Memory;
  private readonly attempts: (Attempt | undefined)[] = [];
  private readonly timeouts: TimeoutList<Attempt>;

  constructor(job: ConnectJob, resources: LoopResources, live: LiveCounts) {
    super(job, resources, live);
    this.address = net.socketAddress(job.address, job.port);
    this.option = resources.option;
    this.timeouts = new TimeoutList(job.timeoutMs);
  }

  protected room(): number {
    return 0;
  }

  protected begin(intendedNs: number, nowNs: number): void {
    const row = this.record(intendedNs, nowNs);
    const { calls } = this;
    const fd = calls.socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK | net.SOCK_CLOEXEC, 0);
    if (fd < 0) {
      this.finish(row, ErrorCode[kindOfErrno(calls.errno())], 0);
      return;
    }
    const attempt = (this.attempts[fd] ??= new Attempt(fd));
    attempt.generation++;
    attempt.row = row;
    attempt.startNs = nowNs;
    attempt.intendedNs = intendedNs;
    this.timeouts.add(attempt, nowNs);
    // Closed by a reset: an orderly close by us would keep the port in TIME_WAIT for a minute.
    this.option.words[0] = 1;
    this.option.words[1] = 0;
    calls.setsockopt(fd, net.SOL_SOCKET, net.SO_LINGER, this.option.address, 8);
    if (calls.connect(fd, this.address.address, 16) < 0) {
      const errno = calls.errno();
      if (errno !== EINPROGRESS) {
        this.end(attempt, ErrorCode[kindOfErrno(errno)]);
        return;
      }
    }
    this.poller.control(net.EPOLL_CTL_ADD, fd, attempt.generation, net.EPOLLOUT | net.EPOLLET);
  }

  protected handle(fd: number, tag: number, mask: number): void {
    const attempt = this.attempts[fd];
    if (attempt === undefined || !attempt.listed || attempt.generation !== tag) return;
    const now = this.nowNs();
    if ((mask & (net.EPOLLERR | net.EPOLLHUP)) !== 0) {
      const errno = net.takeSocketError(this.calls, fd, this.option);
      if (errno !== 0) {
        this.end(attempt, ErrorCode[kindOfErrno(errno)]);
        return;
      }
    }
    this.recorder.connected(attempt.row, now - attempt.startNs);
    this.recorder.total(attempt.row, now - attempt.startNs);
    this.end(attempt, ErrorCode.none, now - attempt.intendedNs);
  }

  protected expire(nowNs: number): number {
    for (let late = this.timeouts.expired(nowNs); late !== null; late = this.timeouts.expired(nowNs)) {
      this.end(late, ErrorCode.timeout);
    }
    return this.timeouts.first?.deadlineNs ?? Number.POSITIVE_INFINITY;
  }

  protected closeAll(): void {
    for (let left = this.timeouts.first; left !== null; left = this.timeouts.first) {
      this.timeouts.remove(left);
      this.calls.close(left.fd);
    }
  }

  private end(attempt: Attempt, error: number, latencyNs = 0): void {
    this.timeouts.remove(attempt);
    this.calls.close(attempt.fd);
    this.finish(attempt.row, error, latencyNs);
  }
}

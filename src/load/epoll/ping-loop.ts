import { randomBytes, randomInt } from "node:crypto";
import { constants } from "node:os";
import { kindOfErrno } from "../errno-kind.ts";
import type { PingJob } from "../load.ts";
import { ErrorCode } from "../recorder.ts";
import type { LiveCounts } from "../summary.ts";
import { TimeoutList, type Expiring } from "../timeout-list.ts";
import { EpollLoop, type LoopResources } from "./epoll-loop.ts";
import { DESTINATION_UNREACHABLE, ECHO_BYTES, ECHO_REPLY, parseIcmp, writeEcho } from "./icmp.ts";
import * as net from "./socket-calls.ts";

const { EAGAIN, EINTR } = constants.errno;

/** Echo requests that await their reply stand in a ring of so many; more than a second's worth at any rate a ping may have. */
const RING = 65_536;

class Echo implements Expiring {
  readonly row: number;
  readonly startNs: number;
  readonly intendedNs: number;
  deadlineNs = 0;
  earlier: this | null = null;
  later: this | null = null;
  listed = false;

  constructor(row: number, startNs: number, intendedNs: number) {
    this.row = row;
    this.startNs = startNs;
    this.intendedNs = intendedNs;
  }
}

/**
 * ICMP echo over one raw socket. A reply is ours by the cookie in its payload, and stands for the request whose number
 * follows the cookie; a second reply to the same request finds it no longer listed.
 */
export class PingLoop extends EpollLoop {
  private readonly socket: number;
  private readonly address: net.Memory;
  private readonly receive: net.Memory;
  private readonly packet = net.allocateMemory(ECHO_BYTES);
  private readonly identifier = randomInt(65_536);
  private readonly cookie = randomBytes(8);
  private readonly echoes: (Echo | undefined)[] = Array.from({ length: RING });
  private readonly timeouts: TimeoutList<Echo>;

  constructor(job: PingJob, resources: LoopResources, live: LiveCounts) {
    super(job, resources, live);
    this.address = net.socketAddress(job.address, 0);
    this.receive = resources.receive;
    this.timeouts = new TimeoutList(job.timeoutMs);
    const { calls } = this;
    this.socket = calls.socket(net.AF_INET, net.SOCK_RAW | net.SOCK_NONBLOCK | net.SOCK_CLOEXEC, net.IPPROTO_ICMP);
    if (this.socket < 0) throw new Error(`a raw ICMP socket was refused (errno ${calls.errno()})`);
    // The filter's bits name the types kept out (raw(7)).
    resources.option.words[0] = ~((1 << ECHO_REPLY) | (1 << DESTINATION_UNREACHABLE));
    calls.setsockopt(this.socket, net.SOL_RAW, net.ICMP_FILTER, resources.option.address, 4);
    this.poller.control(net.EPOLL_CTL_ADD, this.socket, 0, net.EPOLLIN);
  }

  protected room(): number {
    return 0;
  }

  protected begin(intendedNs: number, nowNs: number): void {
    const row = this.record(intendedNs, nowNs);
    writeEcho(this.packet.bytes, this.identifier, row, this.cookie);
    const { calls, packet, address } = this;
    if (calls.sendto(this.socket, packet.address, ECHO_BYTES, net.MSG_NOSIGNAL, address.address, 16) < 0) {
      this.finish(row, ErrorCode[kindOfErrno(calls.errno())], 0);
      return;
    }
    const echo = new Echo(row, nowNs, intendedNs);
    this.echoes[row % RING] = echo;
    this.timeouts.add(echo, nowNs);
  }

  protected handle(_fd: number, _tag: number, _mask: number): void {
    const { address, bytes } = this.receive;
    for (;;) {
      const count = this.calls.recv(this.socket, address, bytes.length, 0);
      if (count < 0) {
        const errno = this.calls.errno();
        // Level-triggered: any other error is the socket's pending one, taken by this very call.
        if (errno === EAGAIN || errno === EINTR) return;
        kindOfErrno(errno);
        return;
      }
      const now = this.nowNs();
      const message = parseIcmp(bytes.subarray(0, count), this.identifier, this.cookie);
      if (message === null) continue;
      const echo = this.find(message.number, message.kind === "unreachable");
      if (echo === null) continue;
      if (message.kind === "reply") {
        this.recorder.firstByte(echo.row, now - echo.startNs);
        this.recorder.total(echo.row, now - echo.startNs);
        this.end(echo, ErrorCode.none, now - echo.intendedNs);
      } else this.end(echo, ErrorCode.unreachable, 0);
    }
  }

  /** An unreachable quotes 16 bits of the number alone. */
  private find(number: number, sixteenBits: boolean): Echo | null {
    const echo = this.echoes[number % RING];
    return echo !== undefined && echo.listed && (sixteenBits || echo.row === number) ? echo : null;
  }

  protected expire(nowNs: number): number {
    for (let late = this.timeouts.expired(nowNs); late !== null; late = this.timeouts.expired(nowNs)) {
      this.end(late, ErrorCode.timeout, 0);
    }
    return this.timeouts.first?.deadlineNs ?? Number.POSITIVE_INFINITY;
  }

  protected closeAll(): void {
    this.calls.close(this.socket);
  }

  private end(echo: Echo, error: number, latencyNs: number): void {
    this.timeouts.remove(echo);
    this.finish(echo.row, error, latencyNs);
  }
}

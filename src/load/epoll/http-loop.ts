import { constants } from "node:os";
import { FIN_WAIT_MS, STALE_NS } from "../connection-times.ts";
import { kindOfErrno } from "../errno-kind.ts";
import type { HttpJob } from "../load.ts";
import { ErrorCode } from "../recorder.ts";
import { requestBytes } from "../request.ts";
import { HeadMemory, ResponseParser, ResponseState } from "../response-parser.ts";
import type { LiveCounts } from "../summary.ts";
import { TimeoutList } from "../timeout-list.ts";
import { Connection, ConnectionState, IdleConnections } from "./connection.ts";
import { EpollLoop, type LoopResources } from "./epoll-loop.ts";
import * as net from "./socket-calls.ts";

const { EAGAIN, EINPROGRESS, ECONNRESET, EPIPE } = constants.errno;

/** Events that say a connection is over, or half so. */
const ENDED = net.EPOLLRDHUP | net.EPOLLHUP | net.EPOLLERR;
const READ_EVENTS = net.EPOLLIN | net.EPOLLRDHUP | net.EPOLLET;

/** Reads of one connection in a row before the others get their turn. */
const READS_IN_A_ROW = 16;

/** Tries of an eager send that may fail in a row; then one in so many requests tries again. */
const EAGER_TRIES = 4;
const EAGER_EVERY = 256;

/** HTTP/1.1 GETs through epoll: two system calls a request on a kept connection, six on a new one. */
export class HttpLoop extends EpollLoop {
  private readonly job: HttpJob;
  private readonly request: net.Memory;
  private readonly address: net.Memory;
  private readonly receive: net.Memory;
  private readonly option: net.Memory;
  private readonly heads = new HeadMemory();
  /** By descriptor; made once and used again by every connection that gets the number. */
  private readonly connections: (Connection | undefined)[] = [];
  private readonly idle = new IdleConnections();
  private readonly timeouts: TimeoutList<Connection>;
  private readonly finWaits = new TimeoutList<Connection>(FIN_WAIT_MS);
  private readonly concurrency: number;
  /** Connections that wait for the server's FIN. */
  private closing = 0;
  /** Left tries of a send right behind connect; it succeeds where the whole handshake runs on this very CPU. */
  private eagerness = EAGER_TRIES;

  constructor(job: HttpJob, resources: LoopResources, live: LiveCounts) {
    super(job, resources, live);
    this.job = job;
    const bytes = requestBytes(job);
    this.request = net.allocateMemory(bytes.length);
    this.request.bytes.set(bytes);
    this.address = net.socketAddress(job.address, job.port);
    this.receive = resources.receive;
    this.option = resources.option;
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
    const kept = this.idle.take();
    if (kept === null) {
      this.open(row, nowNs, nowNs);
      return;
    }
    kept.begin(row, nowNs, true);
    this.recorder.connected(row, 0);
    this.timeouts.add(kept, nowNs);
    this.send(kept);
  }

  private open(row: number, startNs: number, nowNs: number): void {
    const { calls } = this;
    const fd = calls.socket(net.AF_INET, net.SOCK_STREAM | net.SOCK_NONBLOCK | net.SOCK_CLOEXEC, 0);
    if (fd < 0) {
      this.finish(row, ErrorCode[kindOfErrno(calls.errno())], 0);
      return;
    }
    const connection = (this.connections[fd] ??= new Connection(fd, new ResponseParser(this.heads)));
    connection.state = ConnectionState.connecting;
    connection.generation++;
    connection.begin(row, startNs, false);
    this.timeouts.add(connection, nowNs);
    // A connection of one request sends one segment, which Nagle's algorithm never holds back.
    if (this.job.keepAlive) {
      this.option.words[0] = 1;
      calls.setsockopt(fd, net.IPPROTO_TCP, net.TCP_NODELAY, this.option.address, 4);
    }
    if (calls.connect(fd, this.address.address, 16) < 0) {
      const errno = calls.errno();
      if (errno !== EINPROGRESS) {
        this.fail(connection, ErrorCode[kindOfErrno(errno)]);
        return;
      }
    }
    const errno = this.sendEagerly(connection);
    if (errno === 0) this.poller.control(net.EPOLL_CTL_ADD, fd, connection.generation, READ_EVENTS);
    else if (errno === EAGAIN)
      this.poller.control(net.EPOLL_CTL_ADD, fd, connection.generation, READ_EVENTS | net.EPOLLOUT);
    else this.fail(connection, ErrorCode[kindOfErrno(errno)]);
  }

  /** Saves the event that tells of the connection. Returns errno: EAGAIN when that event is needed, 0 when all is sent. */
  private sendEagerly(connection: Connection): number {
    if (this.eagerness === 0 && connection.row % EAGER_EVERY !== 0) return EAGAIN;
    const connectedNs = this.nowNs();
    const sent = this.calls.send(connection.fd, this.request.address, this.request.bytes.length, net.MSG_NOSIGNAL);
    if (sent < 0) {
      if (this.eagerness > 0) this.eagerness--;
      return this.calls.errno();
    }
    this.eagerness = EAGER_TRIES;
    connection.sent = sent;
    connection.state = ConnectionState.waiting;
    this.recorder.connected(connection.row, connectedNs - connection.startNs);
    return sent === this.request.bytes.length ? 0 : EAGAIN;
  }

  private send(connection: Connection): void {
    connection.state = ConnectionState.waiting;
    const { length } = this.request.bytes;
    while (connection.sent < length) {
      const from = connection.sent;
      const sent = this.calls.send(connection.fd, this.request.address + from, length - from, net.MSG_NOSIGNAL);
      if (sent >= 0) {
        connection.sent += sent;
        continue;
      }
      const errno = this.calls.errno();
      if (errno === EAGAIN)
        this.poller.control(net.EPOLL_CTL_MOD, connection.fd, connection.generation, READ_EVENTS | net.EPOLLOUT);
      else this.broken(connection, errno);
      return;
    }
  }

  protected handle(fd: number, tag: number, mask: number): void {
    const connection = this.connections[fd];
    if (connection === undefined || connection.generation !== tag) return;
    switch (connection.state) {
      case ConnectionState.closed:
        break;
      case ConnectionState.waiting:
        if (connection.sent < this.request.bytes.length) this.send(connection);
        if (connection.state === ConnectionState.waiting && (mask & (net.EPOLLIN | ENDED)) !== 0)
          this.read(connection, mask);
        break;
      case ConnectionState.connecting:
        this.connected(connection, mask);
        break;
      case ConnectionState.closing:
        if ((mask & ENDED) !== 0) this.close(connection);
        break;
      case ConnectionState.idle:
        // Bytes that nobody asked for, or the server's end.
        if ((mask & (net.EPOLLIN | ENDED)) !== 0) this.close(connection);
        break;
    }
  }

  private connected(connection: Connection, mask: number): void {
    if ((mask & (net.EPOLLERR | net.EPOLLHUP)) !== 0) {
      const errno = net.takeSocketError(this.calls, connection.fd, this.option);
      // No error left: the connection came, and its reset with it.
      this.fail(connection, errno === 0 ? ErrorCode.reset : ErrorCode[kindOfErrno(errno)]);
      return;
    }
    if ((mask & net.EPOLLOUT) === 0) return;
    this.recorder.connected(connection.row, this.nowNs() - connection.startNs);
    this.send(connection);
    // Edge-triggered: what has come already is told but once.
    if (connection.state === ConnectionState.waiting && (mask & (net.EPOLLIN | ENDED)) !== 0)
      this.read(connection, mask);
  }

  private read(connection: Connection, mask: number): void {
    const { parser, fd } = connection;
    const { address, bytes } = this.receive;
    for (let reads = 0; reads < READS_IN_A_ROW; reads++) {
      const count = this.calls.recv(fd, address, bytes.length, 0);
      if (count < 0) {
        const errno = this.calls.errno();
        if (errno !== EAGAIN) this.broken(connection, errno);
        return;
      }
      const now = this.nowNs();
      if (count === 0) parser.finish();
      else {
        if (!parser.begun) this.recorder.firstByte(connection.row, now - connection.startNs);
        const used = parser.push(bytes, 0, count);
        // More than one answer: such a connection is not used again.
        if (used < count) parser.persistent = false;
      }
      if (parser.state !== ResponseState.open) {
        this.answered(connection, now, count === 0 || (mask & ENDED) !== 0);
        return;
      }
      // A read that does not fill the buffer has emptied the socket (epoll(7)); only the FIN may stand behind it.
      if (count < bytes.length && (mask & ENDED) === 0) return;
    }
    // Tells of the rest again, after the others.
    this.poller.control(net.EPOLL_CTL_MOD, fd, connection.generation, READ_EVENTS);
  }

  private answered(connection: Connection, nowNs: number, ended: boolean): void {
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
    const totalNs = nowNs - connection.startNs;
    this.recorder.total(row, totalNs);
    this.timeouts.remove(connection);
    this.finish(row, ErrorCode.none, nowNs - this.recorder.intendedNs(row));
    // What takes its place is begun when the answers that are there have been read: a handshake would keep them waiting.
    if (ended) this.close(connection);
    else if (this.job.keepAlive && parser.persistent) {
      connection.state = ConnectionState.idle;
      this.idle.add(connection);
      this.beginNext(nowNs);
    } else {
      connection.state = ConnectionState.closing;
      this.closing++;
      this.finWaits.add(connection, nowNs);
    }
  }

  private broken(connection: Connection, errno: number): void {
    const now = this.nowNs();
    if ((errno === ECONNRESET || errno === EPIPE) && this.isStale(connection, now)) this.reopen(connection, now);
    else {
      this.recorder.answer(connection.row, connection.parser.status, connection.parser.bodyBytes);
      this.fail(connection, ErrorCode[kindOfErrno(errno)]);
    }
  }

  private isStale(connection: Connection, nowNs: number): boolean {
    return connection.reused && !connection.parser.begun && nowNs - connection.startNs < STALE_NS;
  }

  private reopen(connection: Connection, nowNs: number): void {
    const { row, startNs } = connection;
    this.close(connection);
    this.open(row, startNs, nowNs);
  }

  private fail(connection: Connection, error: number): void {
    this.close(connection);
    this.finish(connection.row, error, 0);
  }

  private close(connection: Connection): void {
    if (connection.state === ConnectionState.idle) this.idle.remove(connection);
    if (connection.state === ConnectionState.closing) {
      this.closing--;
      this.finWaits.remove(connection);
    }
    this.timeouts.remove(connection);
    connection.state = ConnectionState.closed;
    this.calls.close(connection.fd);
  }

  protected expire(nowNs: number): number {
    for (let late = this.timeouts.expired(nowNs); late !== null; late = this.timeouts.expired(nowNs)) {
      this.recorder.answer(late.row, late.parser.status, late.parser.bodyBytes);
      this.fail(late, ErrorCode.timeout);
    }
    for (let late = this.finWaits.expired(nowNs); late !== null; late = this.finWaits.expired(nowNs)) this.close(late);
    const next = this.timeouts.first?.deadlineNs ?? Number.POSITIVE_INFINITY;
    return Math.min(next, this.finWaits.first?.deadlineNs ?? Number.POSITIVE_INFINITY);
  }

  protected closeAll(): void {
    for (const connection of this.connections) {
      if (connection !== undefined && connection.state !== ConnectionState.closed) this.close(connection);
    }
  }
}

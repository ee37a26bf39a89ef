import { constants } from "node:os";
import { allocateMemory, type Memory, type SocketCalls } from "./socket-calls.ts";

/** struct epoll_event is packed on x86-64 alone (linux/eventpoll.h): 32 bits of events, then 64 of data. */
const EVENT_WORDS = process.arch === "x64" ? 3 : 4;
const DATA_WORD = EVENT_WORDS - 2;
/** Events taken at a time. */
const CAPACITY = 1024;

/** An epoll instance whose events carry a descriptor and a tag, which tells a descriptor's users apart. */
export class Poller {
  private readonly calls: SocketCalls;
  private readonly epoll: number;
  private readonly events: Memory = allocateMemory(CAPACITY * EVENT_WORDS * 4);
  private readonly change: Memory = allocateMemory(EVENT_WORDS * 4);
  private readonly timespec: Memory = allocateMemory(16);

  constructor(calls: SocketCalls) {
    this.calls = calls;
    this.epoll = calls.epollCreate();
    if (this.epoll < 0) throw new Error(`epoll_create1: errno ${calls.errno()}`);
  }

  /** A close takes a descriptor out by itself. */
  control(operation: number, fd: number, tag: number, mask: number): void {
    this.change.words[0] = mask;
    this.change.words[DATA_WORD] = fd;
    this.change.words[DATA_WORD + 1] = tag;
    if (this.calls.epollCtl(this.epoll, operation, fd, this.change.address) < 0) {
      throw new Error(`epoll_ctl: errno ${this.calls.errno()}`);
    }
  }

  /** Sleeps at most so long, and says how many events there are. */
  wait(timeoutNs: number): number {
    const seconds = timeoutNs < 1e9 ? 0 : Math.floor(timeoutNs / 1e9);
    this.timespec.words[0] = seconds;
    this.timespec.words[2] = timeoutNs <= 0 ? 0 : Math.floor(timeoutNs - seconds * 1e9);
    const count = this.calls.epollWait(this.epoll, this.events.address, CAPACITY, this.timespec.address);
    if (count >= 0) return count;
    if (this.calls.errno() === constants.errno.EINTR) return 0;
    throw new Error(`epoll_pwait2: errno ${this.calls.errno()}`);
  }

  fd(event: number): number {
    return this.events.words[event * EVENT_WORDS + DATA_WORD] ?? -1;
  }

  tag(event: number): number {
    return this.events.words[event * EVENT_WORDS + DATA_WORD + 1] ?? -1;
  }

  mask(event: number): number {
    return this.events.words[event * EVENT_WORDS] ?? 0;
  }

  close(): void {
    this.calls.close(this.epoll);
  }
}

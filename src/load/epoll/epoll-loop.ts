// Not the global of the same name: that one is a getter, which costs more than the clock.
import { performance } from "node:perf_hooks";
import type { LoadJob } from "../load.ts";
import { Pacing } from "../pacing.ts";
import { ErrorCode, Recorder } from "../recorder.ts";
import { Stop, type LiveCounts } from "../summary.ts";
import { Poller } from "./poller.ts";
import { allocateMemory, type Memory, type SocketCalls } from "./socket-calls.ts";

/** What the loops of one thread use, one after the other. */
export interface LoopResources {
  calls: SocketCalls;
  poller: Poller;
  receive: Memory;
  /** Two ints for getsockopt and setsockopt. */
  option: Memory;
}

const RECEIVE_BYTES = 256 * 1024;

export function createLoopResources(calls: SocketCalls): LoopResources {
  return { calls, poller: new Poller(calls), receive: allocateMemory(RECEIVE_BYTES), option: allocateMemory(16) };
}

/** Longest sleep: a stop is heeded within it. */
const NAP_NS = 20e6;

/** Requests begun between two looks at the sockets, so that a burst does not delay the reading of answers. */
const BURST = 64;

/** Pause of a closed loop when the client has no port or descriptor left: trying again at once finds none either. */
const EXHAUSTED_PAUSE_NS = 1e6;

/** The common part of the hot loops: when to begin, when to sleep, when to end. Synchronous; times are ns from the start. */
export abstract class EpollLoop {
  readonly recorder = new Recorder();
  readonly startedAtMs: number;
  protected readonly calls: SocketCalls;
  protected readonly poller: Poller;
  protected readonly live: LiveCounts;
  /** Requests under way. */
  protected active = 0;
  private readonly origin: number;
  /** Null: closed loop. */
  private readonly pacing: Pacing | null;
  private readonly requests: number;
  private readonly endNs: number;
  private pausedUntilNs = 0;
  private draining = false;

  constructor(job: LoadJob, resources: LoopResources, live: LiveCounts) {
    this.calls = resources.calls;
    this.poller = resources.poller;
    this.live = live;
    const { loop } = job;
    this.pacing = loop.mode === "open" ? new Pacing(loop.rateHz, loop.durationMs) : null;
    this.requests = this.pacing?.count ?? (loop.mode === "closed" ? loop.requests : null) ?? Number.POSITIVE_INFINITY;
    this.endNs = this.pacing !== null || loop.durationMs === null ? Number.POSITIVE_INFINITY : loop.durationMs * 1e6;
    this.startedAtMs = Date.now();
    this.origin = performance.now();
  }

  /** Begins one request. */
  protected abstract begin(intendedNs: number, nowNs: number): void;
  /** How many more a closed loop may have under way. */
  protected abstract room(): number;
  /** Whether connections wait for the server to close first; the job's requests are over, and its clock has stopped. */
  protected isClosing(): boolean {
    return false;
  }
  protected abstract handle(fd: number, tag: number, mask: number): void;
  /** Ends what has timed out; returns when the next will, ns. */
  protected abstract expire(nowNs: number): number;
  /** Closes every socket; requests under way stay `cut-off`. */
  protected abstract closeAll(): void;

  /** Runs to the end of the job, or until told to stop; returns how long it took, ns. */
  run(): number {
    let elapsedNs = 0;
    try {
      for (;;) {
        this.heedStop();
        this.beginDue(this.nowNs());
        const now = this.nowNs();
        if (this.draining && this.active === 0) {
          if (elapsedNs === 0) elapsedNs = now;
          if (!this.isClosing() || this.live.stop() === Stop.cut) break;
        }
        const wakeNs = Math.min(this.expire(now), this.nextBeginNs(now), now + NAP_NS);
        const events = this.poller.wait(wakeNs - now);
        for (let i = 0; i < events; i++) this.handle(this.poller.fd(i), this.poller.tag(i), this.poller.mask(i));
      }
    } finally {
      this.closeAll();
    }
    return elapsedNs;
  }

  protected nowNs(): number {
    return Math.round((performance.now() - this.origin) * 1e6);
  }

  /** Adds the row of a request that begins now. */
  protected record(intendedNs: number, nowNs: number): number {
    this.active++;
    this.live.begin();
    return this.recorder.begin(intendedNs, nowNs);
  }

  /** Ends a request; `error` none needs its times recorded before. */
  protected finish(row: number, error: number, latencyNs: number): void {
    this.active--;
    this.recorder.end(row, error);
    this.live.end(error, latencyNs);
    if (error === ErrorCode["no-port"] || error === ErrorCode["no-descriptor"]) {
      this.pausedUntilNs = this.nowNs() + EXHAUSTED_PAUSE_NS;
    }
  }

  /** A closed loop's next request, on the heels of an answer; on a kept connection only, where it costs a single call. */
  protected beginNext(nowNs: number): void {
    if (this.pacing === null && this.room() > 0 && this.mayBegin(nowNs)) this.begin(nowNs, nowNs);
  }

  private mayBegin(nowNs: number): boolean {
    return !this.draining && this.recorder.rows < this.requests && nowNs < this.endNs;
  }

  private beginDue(nowNs: number): void {
    let now = nowNs;
    if (this.pacing === null) {
      // At most so many attempts a turn: refused connections end at once, and would go on for ever here.
      for (
        let room = Math.min(this.room(), BURST);
        room > 0 && now >= this.pausedUntilNs && this.mayBegin(now);
        room--
      ) {
        this.begin(now, now);
        now = this.nowNs();
      }
      if (now >= this.endNs || this.recorder.rows >= this.requests) this.draining = true;
      return;
    }
    for (let burst = BURST; burst > 0 && this.mayBegin(now); burst--) {
      const due = this.pacing.dueNs(this.recorder.rows);
      if (due > now) break;
      this.begin(due, now);
      now = this.nowNs();
    }
    if (this.recorder.rows >= this.requests) this.draining = true;
  }

  private nextBeginNs(nowNs: number): number {
    if (this.draining) return Number.POSITIVE_INFINITY;
    if (this.pacing !== null) return this.pacing.dueNs(this.recorder.rows);
    return this.room() > 0 ? Math.max(nowNs, this.pausedUntilNs) : this.endNs;
  }

  private heedStop(): void {
    const stop = this.live.stop();
    if (stop === Stop.no) return;
    this.draining = true;
    if (stop === Stop.cut) this.active = 0;
  }
}

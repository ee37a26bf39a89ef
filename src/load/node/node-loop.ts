import type { LoadJob } from "../load.ts";
import type { Finished } from "../messages.ts";
import { Pacing } from "../pacing.ts";
import { Recorder } from "../recorder.ts";
import { Stop, type LiveCounts } from "../summary.ts";
import { Alarm, monotonicMs } from "./alarm.ts";

/** A stop is heeded, and a timeout seen, within it. */
const TICK_MS = 10;

/** Requests begun in a row before the event loop reads answers. */
const BURST = 64;

/** The common part of the event-driven loops: when to begin and when to end. Times are ns from the start. */
export abstract class NodeLoop {
  protected readonly recorder = new Recorder();
  /** Requests under way. */
  protected active = 0;
  private readonly live: LiveCounts;
  private readonly pacing: Pacing | null;
  private readonly requests: number;
  private readonly endNs: number;
  private readonly startedAtMs = Date.now();
  private readonly originMs = monotonicMs();
  private readonly cpuBefore = process.cpuUsage();
  private draining = false;
  private elapsedNs = 0;
  private alarm: Alarm | null = null;
  private timer: NodeJS.Timeout | null = null;
  private turnAsked = false;
  private done: ((error: Error | null) => void) | null = null;

  constructor(job: LoadJob, live: LiveCounts) {
    this.live = live;
    const { loop } = job;
    this.pacing = loop.mode === "open" ? new Pacing(loop.rateHz, loop.durationMs) : null;
    this.requests = this.pacing?.count ?? (loop.mode === "closed" ? loop.requests : null) ?? Number.POSITIVE_INFINITY;
    this.endNs = this.pacing !== null || loop.durationMs === null ? Number.POSITIVE_INFINITY : loop.durationMs * 1e6;
  }

  protected abstract begin(intendedNs: number, nowNs: number): void;
  /** How many more a closed loop may have under way. */
  protected abstract room(): number;
  /** As in the epoll engine's loop. */
  protected isClosing(): boolean {
    return false;
  }
  /** Ends what has timed out. */
  protected abstract expire(nowNs: number): void;
  /** Closes every socket; requests under way stay `cut-off`. */
  protected abstract closeAll(): void;

  async run(): Promise<Finished> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.done = (error) => (error === null ? resolve() : reject(error));
        if (this.pacing !== null) this.alarm = new Alarm(() => this.turn());
        this.timer = setInterval(() => this.turn(), TICK_MS);
        this.turn();
      });
    } finally {
      this.done = null;
      if (this.timer !== null) clearInterval(this.timer);
      this.closeAll();
      await this.alarm?.close();
    }
    const { user, system } = process.cpuUsage(this.cpuBefore);
    return {
      outcome: { startedAtMs: this.startedAtMs, elapsedMs: this.elapsedNs / 1e6, clientCpuNs: (user + system) * 1e3 },
      blocks: this.recorder.take(),
    };
  }

  protected nowNs(): number {
    return Math.round((monotonicMs() - this.originMs) * 1e6);
  }

  protected record(intendedNs: number, nowNs: number): number {
    this.active++;
    this.live.begin();
    return this.recorder.begin(intendedNs, nowNs);
  }

  protected finish(row: number, error: number, latencyNs: number): void {
    this.active--;
    this.recorder.end(row, error);
    this.live.end(error, latencyNs);
    this.askTurn();
  }

  /** Looks, once this event is over, at what is to begin or to end. */
  protected askTurn(): void {
    if (this.turnAsked) return;
    this.turnAsked = true;
    setImmediate(() => {
      this.turnAsked = false;
      this.turn();
    });
  }

  /** The job breaks. */
  protected abort(error: Error): void {
    this.done?.(error);
  }

  private turn(): void {
    if (this.done === null) return;
    const stop = this.live.stop();
    if (stop !== Stop.no) this.draining = true;
    if (stop === Stop.cut) this.active = 0;
    try {
      this.expire(this.nowNs());
      this.beginDue();
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
    if (!this.draining || this.active > 0) return;
    if (this.elapsedNs === 0) this.elapsedNs = this.nowNs();
    if (!this.isClosing() || stop === Stop.cut) this.done(null);
  }

  private beginDue(): void {
    let now = this.nowNs();
    const { pacing, recorder } = this;
    for (let burst = BURST; burst > 0 && !this.draining; burst--) {
      if (recorder.rows >= this.requests || now >= this.endNs) this.draining = true;
      else if (pacing === null) {
        if (this.room() <= 0) return;
        this.begin(now, now);
      } else {
        const due = pacing.dueNs(recorder.rows);
        if (due > now) {
          this.alarm?.set(this.originMs + due / 1e6);
          return;
        }
        this.begin(due, now);
      }
      now = this.nowNs();
    }
    if (recorder.rows >= this.requests) this.draining = true;
    else if (!this.draining) this.askTurn();
  }
}

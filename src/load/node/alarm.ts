import { Worker } from "node:worker_threads";

/** Word 0 counts settings of the alarm; the time, ms of the system's monotonic clock, lies behind it. */
const MEMORY_BYTES = 16;

/**
 * Sleeps in a thread of its own with Atomics.wait, which keeps fractions of a millisecond; the event loop's timers
 * know whole ones alone.
 */
const SLEEPER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const words = new Int32Array(workerData), time = new Float64Array(workerData, 8, 1);
  const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
  for (let seen = 0; ; ) {
    const setting = Atomics.load(words, 0);
    const leftMs = setting === seen ? Infinity : time[0] - nowMs();
    if (leftMs > 0) Atomics.wait(words, 0, setting, leftMs);
    else { seen = setting; parentPort.postMessage(null); }
  }
`;

/** An alarm clock for the event loop, late by tens of microseconds where setTimeout is late by a millisecond. */
export class Alarm {
  private readonly words: Int32Array;
  private readonly time: Float64Array;
  private readonly worker: Worker;

  constructor(onRing: () => void) {
    const memory = new SharedArrayBuffer(MEMORY_BYTES);
    this.words = new Int32Array(memory);
    this.time = new Float64Array(memory, 8, 1);
    this.worker = new Worker(SLEEPER, { eval: true, execArgv: [], workerData: memory });
    this.worker.on("message", onRing);
  }

  /** Rings once at that time of the monotonic clock; a later call takes the place of an earlier one. */
  set(monotonicMs: number): void {
    this.time[0] = monotonicMs;
    Atomics.add(this.words, 0, 1);
    Atomics.notify(this.words, 0);
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

/** The alarm's clock. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

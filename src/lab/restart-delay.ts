/** The first time it is short: most deaths are accidents. */
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** One that has lived so long is as good as one that never died. */
const SETTLED_MS = 60_000;

/** How long a domain that died waits before it is started again: twice as long each time, unless it lived for a while. */
export class RestartDelay {
  #deaths = 0;
  #startedMs: number | null = null;

  /** @returns how long to wait from now */
  died(nowMs: number): number {
    if (this.#startedMs !== null && nowMs - this.#startedMs >= SETTLED_MS) this.#deaths = 0;
    this.#startedMs = null;
    return Math.min(FIRST_MS * 2 ** this.#deaths++, LONGEST_MS);
  }

  started(nowMs: number): void {
    this.#startedMs = nowMs;
  }
}

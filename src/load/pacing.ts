/** An open loop's times: request k is due k/rate after the start, as long as that lies before the end. */
export class Pacing {
  /** Requests in all. */
  readonly count: number;
  private readonly intervalNs: number;

  constructor(rateHz: number, durationMs: number) {
    this.intervalNs = 1e9 / rateHz;
    // 1e-9: 300 ms at 10/s are 3 requests, whatever binary fractions make of it.
    this.count = Math.max(0, Math.ceil((durationMs / 1000) * rateHz - 1e-9));
  }

  /** When request `index` is due, ns from the start; multiplied anew each time, so that no error adds up. */
  dueNs(index: number): number {
    return Math.round(index * this.intervalNs);
  }
}

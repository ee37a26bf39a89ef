import { ERROR_KINDS, type ErrorKind, type Samples, type Summary } from "../model/samples.ts";
import { countOutliers } from "./outliers.ts";
import { quantile } from "./quantile.ts";
import { summarize } from "./summarize.ts";

/** What the rows of one reading come to; the names are those of result.json. */
export interface RequestFigures {
  /** `ok + failed + timeouts`. Rows that were cut off count in nothing else. */
  requests: number;
  /** Error `none`, and for HTTP a status of 2xx. */
  ok: number;
  /** Refused, reset, short, malformed, unreachable, another status, and what the client itself could not send. */
  failed: number;
  timeouts: number;
  cutOff: number;
  /** Rows that the client could not send for want of a port or a descriptor; in `failed` too. Any makes the trial invalid. */
  noPort: number;
  noDescriptor: number;
  /** Of the requests that are ok; null when there are none. */
  ms: Summary | null;
  /** HTTP: from the moment of sending; `ms` counts from the moment it was due. null for the other metrics. */
  serviceMs: Summary | null;
  /** ms, failures and timeouts as infinitely slow; null stands for infinity, and for a reading of no requests. */
  p95WithFailures: number | null;
  /** By the rule of outliers.ts, among the ok. */
  outliers: number;
}

/** What of a row is the latency: HTTP from the moment it was due; ping the round trip; connect the time of the handshake. */
const LATENCY_NS: Record<"http" | "ping" | "connect", (samples: Samples, row: number) => number> = {
  http: (samples, row) => cell(samples.startNs, row) - cell(samples.intendedNs, row) + cell(samples.totalNs, row),
  ping: (samples, row) => cell(samples.totalNs, row),
  connect: (samples, row) => cell(samples.connectNs, row),
};

const NS_PER_MS = 1e6;

/** Columns are all of one length, so a row of one is a row of all. */
function cell(column: ArrayLike<number>, row: number): number {
  return column[row] ?? Number.NaN;
}

/**
 * Sums up the rows of one reading. In a closed loop a request is due when it begins, so one rule serves both loops. Its
 * own account of a request's errors is the client's (`samples.error`); this only adds that an HTTP answer must be 2xx.
 */
export function summarizeRequests(samples: Samples, metric: "http" | "ping" | "connect"): RequestFigures {
  const rows = samples.error.length;
  const count: Record<ErrorKind, number> = {
    none: 0,
    timeout: 0,
    refused: 0,
    reset: 0,
    short: 0,
    malformed: 0,
    unreachable: 0,
    "no-port": 0,
    "no-descriptor": 0,
    "cut-off": 0,
  };
  const latencyMs = new Float64Array(rows);
  const serviceMs = new Float64Array(rows);
  let ok = 0;
  for (let row = 0; row < rows; row++) {
    const error = ERROR_KINDS[cell(samples.error, row)];
    if (error === undefined) throw new RangeError(`row ${row} has the unknown error ${samples.error[row]}`);
    count[error]++;
    const status = cell(samples.status, row);
    if (error !== "none" || (metric === "http" && (status < 200 || status > 299))) continue;
    latencyMs[ok] = LATENCY_NS[metric](samples, row) / NS_PER_MS;
    serviceMs[ok] = cell(samples.totalNs, row) / NS_PER_MS;
    ok++;
  }
  const requests = rows - count["cut-off"];
  const sorted = latencyMs.subarray(0, ok).sort();
  const p95 = requests === 0 ? Infinity : quantile(sorted, 0.95, requests - ok);
  return {
    requests,
    ok,
    failed: requests - ok - count.timeout,
    timeouts: count.timeout,
    cutOff: count["cut-off"],
    noPort: count["no-port"],
    noDescriptor: count["no-descriptor"],
    ms: summarize(sorted),
    serviceMs: metric === "http" ? summarize(serviceMs.subarray(0, ok).sort()) : null,
    p95WithFailures: Number.isFinite(p95) ? p95 : null,
    outliers: countOutliers(sorted),
  };
}

/**
 * The most requests that were under way at one moment: evidence that a closed loop held its concurrency. A request that
 * timed out was under way for `timeoutMs`, one that was cut off until the end; one that failed otherwise without a
 * time is left out, so a server that refuses at once is not counted as loaded.
 */
export function peakConcurrency(samples: Samples, timeoutMs: number): number {
  const begun: number[] = [];
  const ended: number[] = [];
  for (let row = 0; row < samples.error.length; row++) {
    const error = ERROR_KINDS[cell(samples.error, row)];
    const totalNs = cell(samples.totalNs, row);
    let lastedNs = totalNs;
    if (error === "cut-off") lastedNs = Infinity;
    else if (error === "timeout") lastedNs = timeoutMs * NS_PER_MS;
    else if (totalNs < 0) continue;
    begun.push(cell(samples.startNs, row));
    ended.push(cell(samples.startNs, row) + lastedNs);
  }
  const starts = Float64Array.from(begun).sort();
  const ends = Float64Array.from(ended).sort();
  let peak = 0;
  let over = 0;
  for (let row = 0; row < starts.length; row++) {
    while (cell(ends, over) <= cell(starts, row)) over++;
    peak = Math.max(peak, row + 1 - over);
  }
  return peak;
}

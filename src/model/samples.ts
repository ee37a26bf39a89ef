import type { PlatformName } from "./lab.ts";

/** Kinds of answer that a request can get. The number stands in the samples' `error` column. */
export const ERROR_KINDS = [
  "none",
  "timeout",
  "refused",
  "reset",
  "short",
  "malformed",
  "unreachable",
  /** The client ran out of ports: the trial is invalid. */
  "no-port",
  /** The client ran out of descriptors: the trial is invalid. */
  "no-descriptor",
  /** Not finished when the load was told to stop; neither an answer nor a failure. */
  "cut-off",
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

/**
 * Requests of one reading, a column each, all of one length. Times are ns; -1 where it did not come so far.
 * Kept raw: nothing is dropped, and a failed request has its row.
 */
export interface Samples {
  /** When it was due (open loop) or begun (closed loop), from the start of the reading. */
  intendedNs: Float64Array;
  /** When it really began. */
  startNs: Float64Array;
  /** From startNs to the connection made; 0 on a kept-alive connection. */
  connectNs: Float64Array;
  /** From startNs to the first byte of the answer. */
  firstByteNs: Float64Array;
  /** From startNs to the last byte (service time). Latency in an open loop is `startNs - intendedNs + totalNs`. */
  totalNs: Float64Array;
  status: Uint16Array;
  /** Bytes of the body. */
  bytes: Float64Array;
  /** Index into ERROR_KINDS. */
  error: Uint8Array;
}

/** Who ran the loop; readings of different engines are never compared. */
export type Engine = "epoll" | "node";

/** Figures of one reading; ms. Failures and timeouts are not in it. */
export interface Summary {
  min: number;
  mean: number;
  /** Of the sample (n - 1); null for a single value. */
  sd: number | null;
  median: number;
  p95: number;
  /** Only from 300 samples on. */
  p99: number | null;
  max: number;
}

/**
 * Where the latencies of one reading lie, over all valid trials of one platform and phase together.
 * Requests that got no answer are in `requests`, so that the last point lies below 1 by their share.
 */
export interface Ecdf {
  platform: PlatformName;
  phase: string;
  /** Label of the reading, as `probe:apache1`. */
  reading: string;
  /** Valid trials that it is made of. */
  trials: number;
  /** All but those cut off. */
  requests: number;
  ok: number;
  timeouts: number;
  /** Neither answered well nor timed out. */
  failed: number;
  /** Exact: `share` of the requests were answered within `ms` (from the moment they were due). Ascending in both. */
  points: { ms: number; share: number }[];
}

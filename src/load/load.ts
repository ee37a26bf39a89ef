import type { Engine, Samples } from "../model/samples.ts";

/** What a load client is asked to do, from inside a namespace. */
export type LoadJob = HttpJob | ConnectJob | PingJob;

interface Paced {
  /** Opens requests at this rate whatever the answers (open loop). */
  rateHz: number;
  durationMs: number;
}

export interface HttpJob {
  kind: "http";
  address: string;
  port: number;
  /** Host header. */
  host: string;
  path: string;
  /** A connection kept for many requests, or a new one each as `ab` does. */
  keepAlive: boolean;
  timeoutMs: number;
  /** Open loop, or a closed loop of so many connections at a time, until so many requests or so long (either may be null, not both). */
  loop:
    | ({ mode: "open" } & Paced)
    | { mode: "closed"; concurrency: number; requests: number | null; durationMs: number | null };
}

/** TCP connect, then close: connectNs is the reading. */
export interface ConnectJob {
  kind: "connect";
  address: string;
  port: number;
  timeoutMs: number;
  loop: { mode: "open" } & Paced;
}

/** ICMP echo: totalNs is the round trip, `timeout` a loss. */
export interface PingJob {
  kind: "ping";
  address: string;
  timeoutMs: number;
  loop: { mode: "open" } & Paced;
}

export interface LoadResult {
  engine: Engine;
  samples: Samples;
  /** Wall clock at the reading's start, ms since the epoch, and how long it took. */
  startedAtMs: number;
  elapsedMs: number;
  /** CPU time of the loop's thread. */
  clientCpuNs: number;
  /** Open loop: how late requests were begun; 95th percentile and largest. A large value means that the generator was the bottleneck. */
  sendDelayMs: { p95: number; max: number } | null;
}

/** What a job has done so far; cheap to read, many times a second. */
export interface LoadProgress {
  begun: number;
  finished: number;
  failed: number;
  /** 95th percentile of the last second, ms; null when nothing finished. */
  recentP95Ms: number | null;
}

export interface RunningLoad {
  /** Becomes the result when the job is done, was stopped, or rejects when the client broke. */
  result: Promise<LoadResult>;
  progress(): LoadProgress;
  /** Begins no more requests. `drain` waits for those under way (or their timeouts); otherwise they are `cut-off`. */
  stop(options: { drain: boolean }): void;
}

/** One client process inside a namespace of a lab, kept for many jobs, one job at a time. */
export interface LoadClient {
  engine: Engine;
  start(job: LoadJob): RunningLoad;
  close(): Promise<void>;
}

/** How a client process is started: where, and with what right to the CPU. */
export interface LoadClientOptions {
  namespace: string;
  cgroup: string;
  cpus: number[];
  /** Nice value: probes run before floods. */
  nice: number;
  /** Chosen by trying when not given. */
  engine?: Engine;
}

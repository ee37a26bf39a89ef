import type { Engine, Samples } from "../model/samples.ts";
import type { LoadJob, LoadProgress } from "./load.ts";

/** What a client process is started with, as JSON in its one argument. */
export interface ClientSettings {
  engine: Engine;
  /** File of the namespace that the epoll engine's thread enters; the node engine's process is born in it. */
  namespacePath: string;
}

/** To the client process. It ends when the channel closes. */
export type ClientRequest = { kind: "start"; job: LoadJob } | { kind: "stop"; drain: boolean };

/** From the client process. A job's rows come in blocks, in order, before its `done`. */
export type ClientReport =
  | { kind: "ready" }
  /** This engine cannot run here. */
  | { kind: "unable"; reason: string }
  | { kind: "progress"; progress: LoadProgress }
  | { kind: "rows"; block: Samples }
  | { kind: "done"; outcome: Outcome }
  /** The job broke. */
  | { kind: "failed"; reason: string };

/** What a job's rows do not say. */
interface Outcome {
  startedAtMs: number;
  elapsedMs: number;
  clientCpuNs: number;
}

/** A finished job in the process that ran it. */
export interface Finished {
  outcome: Outcome;
  blocks: Samples[];
}

/** An engine, ready inside the namespace. Live counts go to `memory` (see summary.ts), from which stops are read. */
export interface LoadEngine {
  run(job: LoadJob, memory: SharedArrayBuffer): Promise<Finished>;
}

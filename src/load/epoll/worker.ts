import { on, once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { CLONE_NEWNET, setns } from "../../host/syscalls.ts";
import { startThread } from "../client-entry.ts";
import type { LoadJob } from "../load.ts";
import type { Finished, LoadEngine } from "../messages.ts";
import { LiveCounts } from "../summary.ts";
import { ConnectLoop } from "./connect-loop.ts";
import { createLoopResources, type EpollLoop, type LoopResources } from "./epoll-loop.ts";
import { HttpLoop } from "./http-loop.ts";
import { PingLoop } from "./ping-loop.ts";
import { bindSocketCalls } from "./socket-calls.ts";

interface WorkerSettings {
  namespacePath: string;
}
type WorkerReport = { kind: "ready" } | { kind: "finished"; finished: Finished } | { kind: "failed"; reason: string };

/**
 * Starts the thread of the epoll engine; `entry` is the file that calls `runEpollWorker` in a worker thread.
 * Rejects when the thread cannot enter the namespace or make its calls.
 */
export async function createEpollEngine(entry: URL, settings: WorkerSettings): Promise<LoadEngine> {
  const worker = startThread(entry, settings);
  const reports = on(worker, "message") as AsyncIterator<[WorkerReport]>;
  const ended = once(worker, "exit").then(() => Promise.reject(new Error("the load client's thread ended")));
  // Of interest only while a report is awaited.
  ended.catch(() => undefined);
  const next = async (): Promise<WorkerReport> => {
    const report = await Promise.race([reports.next(), ended]);
    return (report as IteratorYieldResult<[WorkerReport]>).value[0];
  };
  await next();
  return {
    async run(job, memory) {
      worker.postMessage({ job, memory });
      const message = await next();
      if (message.kind === "finished") return message.finished;
      throw new Error(message.kind === "failed" ? message.reason : "a report out of turn");
    },
  };
}

/** The thread's life: into the namespace, then job after job. Throws when it cannot begin. */
export function runEpollWorker(settings: WorkerSettings): void {
  const port = parentPort;
  if (port === null) throw new Error("the epoll engine runs in a worker thread");
  const namespace = openSync(settings.namespacePath, "r");
  setns(namespace, CLONE_NEWNET);
  closeSync(namespace);
  const calls = bindSocketCalls();
  calls.exactTimers();
  const resources = createLoopResources(calls);
  const report = (message: WorkerReport, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  port.on("message", ({ job, memory }: { job: LoadJob; memory: SharedArrayBuffer }) => {
    try {
      const finished = runJob(job, resources, new LiveCounts(memory));
      const buffers = finished.blocks.flatMap((block) =>
        Object.values(block).map((column) => column.buffer as ArrayBuffer),
      );
      report({ kind: "finished", finished }, buffers);
    } catch (error) {
      report({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
    }
  });
  report({ kind: "ready" });
}

function runJob(job: LoadJob, resources: LoopResources, live: LiveCounts): Finished {
  const loop = createLoop(job, resources, live);
  const cpuBefore = resources.calls.threadCpuNs();
  const elapsedNs = loop.run();
  return {
    outcome: {
      startedAtMs: loop.startedAtMs,
      elapsedMs: elapsedNs / 1e6,
      clientCpuNs: resources.calls.threadCpuNs() - cpuBefore,
    },
    blocks: loop.recorder.take(),
  };
}

function createLoop(job: LoadJob, resources: LoopResources, live: LiveCounts): EpollLoop {
  switch (job.kind) {
    case "http":
      return new HttpLoop(job, resources, live);
    case "connect":
      return new ConnectLoop(job, resources, live);
    case "ping":
      return new PingLoop(job, resources, live);
  }
}

import { isMainThread, workerData } from "node:worker_threads";
import { createEpollEngine, runEpollWorker } from "./epoll/worker.ts";
import type { LoadJob } from "./load.ts";
import type { ClientReport, ClientRequest, ClientSettings, LoadEngine } from "./messages.ts";
import { createNodeEngine } from "./node/engine.ts";
import { LIVE_BYTES, LiveCounts, progressBetween, Stop } from "./summary.ts";

/** How often progress is told, and over how many tellings its percentile reaches: a second. */
const PROGRESS_MS = 200;
const PROGRESS_WINDOW = 5;

if (isMainThread) await supervise(JSON.parse(process.argv[2] ?? "") as ClientSettings);
else runEpollWorker(workerData as ClientSettings);

/** The process's main thread: passes jobs and stops to the engine, tells progress, and dies with its parent. */
async function supervise(settings: ClientSettings): Promise<void> {
  // A load whose reader is gone must not go on, not even to clean up: the kernel closes its sockets.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  let engine: LoadEngine;
  try {
    engine = await createEngine(settings);
  } catch (error) {
    await report({ kind: "unable", reason: reasonOf(error) });
    return;
  }
  let live: LiveCounts | null = null;
  process.on("message", (request: ClientRequest) => {
    if (request.kind === "stop") {
      live?.requestStop(request.drain ? Stop.drain : Stop.cut);
      return;
    }
    const memory = new SharedArrayBuffer(LIVE_BYTES);
    live = new LiveCounts(memory);
    void runJob(engine, request.job, memory, live);
  });
  await report({ kind: "ready" });
}

async function createEngine(settings: ClientSettings): Promise<LoadEngine> {
  if (settings.engine === "node") return createNodeEngine();
  return createEpollEngine(new URL(import.meta.url), settings);
}

async function runJob(engine: LoadEngine, job: LoadJob, memory: SharedArrayBuffer, live: LiveCounts): Promise<void> {
  const snapshots = [live.snapshot()];
  const tell = (): Promise<void> => {
    const now = live.snapshot();
    const before = snapshots[0] ?? now;
    snapshots.push(now);
    if (snapshots.length > PROGRESS_WINDOW) snapshots.shift();
    return report({ kind: "progress", progress: progressBetween(before, now) });
  };
  const timer = setInterval(() => void tell(), PROGRESS_MS);
  try {
    const { outcome, blocks } = await engine.run(job, memory);
    clearInterval(timer);
    await tell();
    for (const block of blocks) await report({ kind: "rows", block });
    await report({ kind: "done", outcome });
  } catch (error) {
    await report({ kind: "failed", reason: reasonOf(error) });
  } finally {
    clearInterval(timer);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Resolves when the channel has taken it, so that blocks do not pile up. */
function report(message: ClientReport): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) reject(new Error("the load client is started by Cloison alone"));
    else process.send(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}

import { spawn, type ChildProcess } from "node:child_process";
import { isIPv4 } from "node:net";
import { commandLine } from "../host/command-line.ts";
import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { Engine, Samples } from "../model/samples.ts";
import { processEntry } from "./client-entry.ts";
import type { LoadClient, LoadClientOptions, LoadJob, LoadProgress, LoadResult, RunningLoad } from "./load.ts";
import type { ClientReport, ClientRequest, ClientSettings } from "./messages.ts";
import { join } from "./recorder.ts";
import { sendDelayMs } from "./send-delay.ts";

/** How long a client process may take to start, on a machine that is busy being measured. */
const START_MS = 30_000;
/** How long it may take to end once its channel is closed. */
const END_MS = 2_000;
/** Kept of what it says on stderr, for messages. */
const COMPLAINT_CHARACTERS = 2_000;

/**
 * Starts a client process in the namespace, with the epoll engine, or the node engine where that cannot run.
 * Throws LabError when the engine asked for, or neither, can run. The caller closes it; it dies with this process.
 */
export async function createLoadClient(host: Host, options: LoadClientOptions): Promise<LoadClient> {
  if (options.engine !== undefined) return startClient(host, options, options.engine);
  try {
    return await startClient(host, options, "epoll");
  } catch (error) {
    if (!(error instanceof EngineUnable)) throw error;
    return startClient(host, options, "node");
  }
}

/** An engine that said by itself that it cannot run here; anything else that keeps a client from starting is a fault. */
class EngineUnable extends LabError {}

async function startClient(host: Host, options: LoadClientOptions, engine: Engine): Promise<LoadClient> {
  const namespacePath = host.namespaces.path(options.namespace);
  const settings: ClientSettings = { engine, namespacePath };
  await host.cgroups.ensure(options.cgroup);
  const [program, ...args] = commandLine(
    {
      argv: [process.execPath, ...processEntry("client-process"), JSON.stringify(settings)],
      cpus: options.cpus,
      nice: options.nice,
    },
    {
      cgroupDirectories: host.cgroups.directories(options.cgroup),
      // The epoll engine's thread enters by itself, and the process stays out.
      namespacePath: engine === "node" ? namespacePath : null,
      detached: false,
    },
  );
  // Its own session: a Ctrl-C at the terminal is for this process, which then stops the load in order.
  const child = spawn(program, args, {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
    detached: true,
  });
  const client = new ClientProcess(child, engine);
  try {
    await client.ready();
  } catch (error) {
    await client.close();
    throw error;
  }
  return client;
}

interface Job {
  kind: LoadJob["kind"];
  open: boolean;
  blocks: Samples[];
  progress: LoadProgress;
  resolve(result: LoadResult): void;
  reject(error: Error): void;
}

class ClientProcess implements LoadClient {
  readonly engine: Engine;
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private complaint = "";
  private job: Job | null = null;
  private closed = false;

  constructor(child: ChildProcess, engine: Engine) {
    this.child = child;
    this.engine = engine;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.complaint = (this.complaint + text).slice(-COMPLAINT_CHARACTERS);
    });
    child.on("message", (message) => this.take(message as ClientReport));
    // A request to a client that has just died: its exit says so.
    child.on("error", (error) => this.job?.reject(error));
    this.ended = new Promise((resolve) => {
      child.once("error", () => resolve());
      child.once("exit", (code, signal) => {
        this.closed = true;
        this.fail(`the load client ended by itself (${signal ?? `exit ${code}`})`);
        resolve();
      });
    });
  }

  /** Resolves when the engine runs. */
  async ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const failure = (what: string, cause?: unknown): LabError =>
      new LabError(`the load client (engine ${this.engine}) ${what}${this.complaintSuffix()}`, {
        exit: ExitCode.unavailable,
        cause,
      });
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(failure(`did not start within ${START_MS} ms`)), START_MS);
        this.child.once("error", (error) => reject(failure("cannot be started", error)));
        this.child.once("exit", (code, signal) => reject(failure(`ended at its start (${signal ?? `exit ${code}`})`)));
        this.child.once("message", (message) => {
          const report = message as ClientReport;
          if (report.kind === "ready") resolve();
          else if (report.kind === "unable") reject(unable(this.engine, report.reason));
        });
      });
    } finally {
      clearTimeout(timer);
    }
  }

  start(job: LoadJob): RunningLoad {
    if (this.closed) throw new Error("the load client is closed");
    if (this.job !== null) throw new Error("the load client does one job at a time");
    checkJob(job);
    const result = new Promise<LoadResult>((resolve, reject) => {
      this.job = {
        kind: job.kind,
        open: job.loop.mode === "open",
        blocks: [],
        progress: { begun: 0, finished: 0, failed: 0, recentP95Ms: null },
        resolve,
        reject,
      };
    });
    // Whoever started several loads awaits them one after the other; one that breaks early is no unhandled rejection.
    result.catch(() => undefined);
    const current = this.job as Job | null;
    this.request({ kind: "start", job });
    return {
      result,
      progress: () => current?.progress ?? { begun: 0, finished: 0, failed: 0, recentP95Ms: null },
      stop: ({ drain }) => {
        if (this.job === current) this.request({ kind: "stop", drain });
      },
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.fail("the load client was closed");
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_MS);
    await this.ended;
    clearTimeout(timer);
  }

  private request(request: ClientRequest): void {
    if (this.child.connected) this.child.send(request);
  }

  private take(report: ClientReport): void {
    const { job } = this;
    if (job === null) return;
    switch (report.kind) {
      case "ready":
      case "unable":
        // Heard by `ready`.
        break;
      case "progress":
        Object.assign(job.progress, report.progress);
        break;
      case "rows":
        job.blocks.push(report.block);
        break;
      case "done": {
        this.job = null;
        const samples = join(job.blocks);
        job.resolve({
          engine: this.engine,
          samples,
          ...report.outcome,
          sendDelayMs: job.open ? sendDelayMs(samples) : null,
        });
        break;
      }
      case "failed":
        this.fail(`the load client broke: ${report.reason}`);
        break;
    }
  }

  private fail(message: string): void {
    const { job } = this;
    this.job = null;
    job?.reject(new LabError(message + this.complaintSuffix()));
  }

  private complaintSuffix(): string {
    return this.complaint === "" ? "" : `: ${this.complaint.trim()}`;
  }
}

function checkJob({ address, loop }: LoadJob): void {
  if (!isIPv4(address)) throw new RangeError(`the load client speaks IPv4, and ${address} is none of its addresses`);
  if (loop.mode === "closed" && loop.requests === null && loop.durationMs === null) {
    throw new RangeError("a closed loop ends by its requests or its duration, and has neither");
  }
}

function unable(engine: Engine, reason: string): EngineUnable {
  return new EngineUnable(`the load client's engine ${engine} cannot run here: ${reason}`, {
    hint: engine === "epoll" ? "leave the engine out, and the node engine takes its place" : "look at what it says",
    exit: ExitCode.unavailable,
  });
}

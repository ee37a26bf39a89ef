import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openMonitor, type Monitor } from "./qmp.ts";
import { qemuCommand, type MachineFiles } from "./qemu-command.ts";

/** However its starter ends, QEMU ends with it, and after this long in any case. */
const LIFE_S = 1500;
const DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"] as const;

const STEP_MS = 50;

/** QEMU, and what it can be asked. */
export interface RunningMachine {
  monitor: Monitor;
  /** Port of 127.0.0.1 that leads to dom0's sshd. */
  sshPort: number;
  /** What Xen and dom0 have printed. */
  console(): string;
  /** Waits until it holds. @throws Error with the end of the console after `timeoutMs`, or when QEMU has ended */
  until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void>;
  ended(): boolean;
  /** Kills QEMU and waits for its end; idempotent. */
  end(): Promise<void>;
}

/** Starts QEMU; from `incoming` (a URI of QEMU's migration) when it is given, and then waits until it has been read. */
export async function startMachine(files: MachineFiles, incoming: string | null = null): Promise<RunningMachine> {
  const [file, ...args] = [
    ...DIES_WITH_PARENT,
    "timeout",
    "--foreground",
    "--signal=KILL",
    `${LIFE_S}`,
    ...DIES_WITH_PARENT,
    ...qemuCommand(files, incoming),
  ];
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("error", (error) => (complaint += error.message));

  const console = () => (existsSync(files.console) ? readFileSync(files.console, "latin1") : "");
  const until: RunningMachine["until"] = async (what, holds, timeoutMs) => {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const ended = hasEnded(child);
      if (await holds()) return;
      if (ended) throw new Error(`QEMU has ended: ${complaint}\n${lastLines(console())}`);
      if (performance.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms\n${lastLines(console())}`);
      await sleep(STEP_MS);
    }
  };
  let monitor: Monitor | null = null;
  const end = async () => {
    monitor?.close();
    if (!hasEnded(child)) child.kill("SIGKILL");
    await closed;
  };
  try {
    await until("QEMU's monitor", () => existsSync(files.monitor), 20_000);
    monitor = await openMonitor(files.monitor);
    if (incoming !== null) {
      const opened = monitor;
      await until("the saved machine", async () => migrated(await opened.ask("query-migrate")), 60_000);
    }
    const network = await monitor.ask("human-monitor-command", { "command-line": "info usernet" });
    return {
      monitor,
      sshPort: forwardedPort(String(network)),
      console,
      until,
      ended: () => hasEnded(child),
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Whether QEMU's `query-migrate` says that it is over. @throws Error when it has failed */
export function migrated(answer: unknown): boolean {
  const { status } = answer as { status?: string };
  if (status === "failed") throw new Error(`QEMU could not move the machine: ${JSON.stringify(answer)}`);
  return status === "completed";
}

/** Reads QEMU's `info usernet`: `TCP[HOST_FORWARD] fd 127.0.0.1 port 10.0.2.15 port …`. */
function forwardedPort(text: string): number {
  const port = /HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(text)?.[1];
  if (port === undefined) throw new Error(`QEMU forwards no port: ${text}`);
  return Number(port);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function lastLines(text: string): string {
  return text.split("\n").slice(-25).join("\n");
}

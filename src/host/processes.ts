import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setMaxListeners } from "node:events";
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { ExitCode, LabError } from "../model/error.ts";
import { commandLine } from "./command-line.ts";
import type { Command, ControlGroups, Finished, Namespaces, Processes, Running } from "./host.ts";
import { hasCode } from "./syscalls.ts";
import { Tail } from "./tail.ts";

/** Kept of each of stdout and stderr; what came before is dropped. */
const CAPTURE_BYTES = 8 * 1024 * 1024;

/** How long output may stay silent, after the program ended, while somebody it left behind holds the pipe open. */
const LINGER_MS = 200;

/** What an aborted program has to clean up after itself. */
const ABORT_GRACE_MS = 2000;

/** Where Debian keeps administration programs; the PATH of `su` and of some services lacks them. */
const SYSTEM_PATH = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

export function createProcesses(
  cgroups: Pick<ControlGroups, "directories" | "ensure">,
  namespaces: Pick<Namespaces, "path">,
  environment: NodeJS.ProcessEnv,
): Processes {
  async function start(command: Command, detached: boolean): Promise<Running> {
    command.signal?.throwIfAborted();
    const env = { ...environment, ...command.env };
    env["PATH"] = withSystemPath(env["PATH"]);
    requireProgram(command, env["PATH"]);
    if (command.cgroup !== undefined) await cgroups.ensure(command.cgroup);
    const [program, ...args] = commandLine(command, {
      cgroupDirectories: command.cgroup === undefined ? [] : cgroups.directories(command.cgroup),
      namespacePath: command.namespace === undefined ? null : namespaces.path(command.namespace),
      detached,
    });
    const output = openOutput(command, detached);
    try {
      const ownGroup = !sharesTerminal(command);
      // Node's `detached` is setsid(2): a session and a process group of its own.
      const child = spawn(program, args, { env, cwd: command.cwd, detached: ownGroup, stdio: output.stdio });
      return await watch(child, command, { detached, ownGroup });
    } finally {
      output.close();
    }
  }

  async function run(command: Command): Promise<Finished> {
    const running = await start(command, false);
    const finished = await running.exited;
    command.signal?.throwIfAborted();
    return finished;
  }

  return {
    run,
    start: (command, options) => start(command, options?.detached ?? false),
    async must(command) {
      const finished = await run(command);
      if (finished.code === 0) return finished.stdout;
      throw failure(command, finished);
    },
  };
}

/** What to say of a program that failed: its name and first words, how it ended, and the end of what it complained of. */
export function failure(command: Command, finished: Finished): LabError {
  const name = command.argv.slice(0, 4).join(" ") + (command.argv.length > 4 ? " …" : "");
  const end = finished.timedOut
    ? `did not end within ${command.timeoutMs} ms`
    : finished.signal === null
      ? `ended with ${finished.code}`
      : `was ended by ${finished.signal}`;
  const complaint = (finished.stderr.trim() || finished.stdout.trim()).split("\n").slice(-5).join("\n");
  return new LabError(`${name} ${end}${complaint === "" ? "" : `: ${complaint}`}`);
}

/** A program that the user talks to stays in the terminal's foreground group, else it would not hear of Ctrl-C and resizing. */
function sharesTerminal(command: Command): boolean {
  return command.output === "inherit" && command.stdin === undefined && process.stdin.isTTY;
}

interface Output {
  stdio: ("ignore" | "inherit" | "pipe" | number)[];
  close(): void;
}

function openOutput({ output = "capture", stdin }: Command, detached: boolean): Output {
  const input = stdin !== undefined ? "pipe" : output === "inherit" ? "inherit" : "ignore";
  if (typeof output === "object" && "file" in output) {
    mkdirSync(dirname(output.file), { recursive: true });
    const fd = openSync(output.file, "a", 0o644);
    return { stdio: [input, fd, fd], close: () => closeSync(fd) };
  }
  // A pipe breaks when its reader dies, and its writer with it.
  const outputs = output === "inherit" ? "inherit" : detached ? "ignore" : "pipe";
  return { stdio: [input, outputs, outputs], close: () => undefined };
}

/** Resolves when the program has started; what ends it is under way then. */
async function watch(
  child: ChildProcess,
  command: Command,
  { detached, ownGroup }: { detached: boolean; ownGroup: boolean },
): Promise<Running> {
  const stdout = new Tail(CAPTURE_BYTES);
  const stderr = new Tail(CAPTURE_BYTES);
  const taker = typeof command.output === "object" && "stdout" in command.output ? command.output.stdout : null;
  child.stdout?.on("data", (chunk: Buffer) => (taker === null ? stdout.push(chunk) : taker(chunk)));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  const ended = end(child);
  await new Promise<void>((started, failed) => {
    child.once("spawn", started);
    child.once("error", (cause) =>
      failed(new LabError(`cannot start ${command.argv[0]}: ${cause.message}`, { exit: ExitCode.unavailable, cause })),
    );
  });
  // Set once "spawn" was emitted.
  const pid = child.pid as number;
  let gone = false;
  let timedOut = false;
  const kill = (signal: NodeJS.Signals) => {
    // Its pid may be somebody else's by now.
    if (!gone) process.kill(ownGroup ? -pid : pid, signal);
  };
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, work: () => void) => void timers.push(setTimeout(work, ms));
  const abort = () => {
    kill("SIGTERM");
    after(ABORT_GRACE_MS, () => kill("SIGKILL"));
  };
  if (command.timeoutMs !== undefined) {
    after(command.timeoutMs, () => {
      timedOut = !gone;
      kill("SIGKILL");
    });
  }
  // One signal may end any number of programs; Node warns from the eleventh listener on.
  if (command.signal !== undefined) setMaxListeners(0, command.signal);
  command.signal?.addEventListener("abort", abort);
  if (command.signal?.aborted) abort();
  child.once("exit", () => {
    gone = true;
    timers.forEach(clearTimeout);
    command.signal?.removeEventListener("abort", abort);
  });
  child.stdin?.on("error", (error) => {
    // It did not read all of its input; how it ends tells whether that is an error.
    if (!hasCode(error, "EPIPE", "ECONNRESET")) throw error;
  });
  if (typeof command.stdin === "string") child.stdin?.end(command.stdin);
  else if (command.stdin !== undefined && child.stdin !== null) Readable.from(command.stdin).pipe(child.stdin);
  if (detached) {
    for (const timer of timers) timer.unref();
    child.unref();
  }
  const exited = ended.then(({ code, signal }) => ({
    code,
    signal,
    stdout: stdout.text(),
    stderr: stderr.text(),
    timedOut,
  }));
  return { pid, exited, kill };
}

/** When the program has ended and its output is read; one that it left behind, with the pipe open, is not waited for. */
function end(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    child.once("close", (code: number | null, signal: NodeJS.Signals | null) => resolve({ code, signal }));
    child.once("exit", () => {
      const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
      let chunks = 0;
      let closed = false;
      const wait = () => {
        const before = chunks;
        const isSilent = () => {
          if (closed) return;
          // "close" follows once both are destroyed.
          if (chunks === before) streams.forEach((stream) => stream.destroy());
          else wait();
        };
        // Where this process has computed meanwhile, timers come before the output that waits: it is read first.
        setTimeout(() => setImmediate(isSilent), LINGER_MS).unref();
      };
      wait();
      for (const stream of streams) stream.on("data", () => chunks++);
      child.once("close", () => (closed = true));
    });
  });
}

function withSystemPath(path: string | undefined): string {
  const given = (path ?? "").split(":").filter((part) => part !== "");
  return [...given, ...SYSTEM_PATH.filter((part) => !given.includes(part))].join(":");
}

/** Behind `nsenter` or `sh` a missing program would be an exit code among others. */
function requireProgram(command: Command, path: string): void {
  const [program] = command.argv;
  const cwd = resolve(command.cwd ?? ".");
  if (!existsSync(cwd)) throw new LabError(`cannot run ${program} in ${cwd}: there is no such directory`);
  const candidates = program.includes("/")
    ? [resolve(cwd, program)]
    : path.split(":").map((part) => join(part, program));
  if (candidates.some(isExecutable)) return;
  throw new LabError(`${program} is not installed`, {
    hint: "install the Debian package that has it",
    exit: ExitCode.unavailable,
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    // However it cannot be reached, it cannot be run.
    if (error instanceof Error) return false;
    throw error;
  }
}

import { constants } from "node:os";
import type { Finished, Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Exit } from "../platform.ts";
import { runtimeRoot, type DomainPaths } from "./domain-paths.ts";

/** How long the runtime may take for one step; it usually needs some 40 ms, more on a machine that is stressed. */
const STEP_TIMEOUT_MS = 60_000;

/** What runc says of one container. */
export interface ContainerState {
  id: string;
  status: "creating" | "created" | "running" | "paused" | "stopped";
  /** 0 when none runs. */
  pid: number;
}

/** States of a lab's containers; asks the runtime only when there are any. */
export async function containerStates(host: Host, lab: string): Promise<ContainerState[]> {
  const root = runtimeRoot(lab);
  if ((await host.files.list(root)).length === 0) return [];
  const text = await host.processes.must({
    argv: ["runc", "--root", root, "list", "--format", "json"],
    timeoutMs: STEP_TIMEOUT_MS,
  });
  // runc writes `null` for an empty list.
  return (JSON.parse(text) as ContainerState[] | null) ?? [];
}

/** Whether the runtime has a container of that name, in whatever state. */
export async function isKnown(host: Host, lab: string, name: string): Promise<boolean> {
  return host.files.exists(`${runtimeRoot(lab)}/${name}`);
}

/**
 * Creates the container and starts its first process, which goes on in the background.
 * One call: the network stands already, so there is nothing to do between runc's `create` and `start`.
 * @throws LabError with runc's reason
 */
export async function runContainer(host: Host, lab: string, name: string, paths: DomainPaths): Promise<void> {
  await host.files.remove(paths.runtimeLog);
  await host.files.writeText(paths.starting, "");
  const running = await host.processes.start(
    {
      argv: [
        "runc",
        "--root",
        runtimeRoot(lab),
        "--log",
        paths.runtimeLog,
        "--log-format",
        "json",
        "run",
        "--detach",
        "--bundle",
        paths.directory,
        name,
      ],
      // The first process inherits it.
      output: { file: paths.log },
    },
    // What it makes outlives this process, so it may, too: that saves the program that would end it.
    { detached: true },
  );
  // Nobody waits for a detached program: the sleep keeps this process waiting.
  const over = new AbortController();
  const late = host.clock.sleep(STEP_TIMEOUT_MS, over.signal).then(
    () => true,
    () => false,
  );
  if (await Promise.race([running.exited.then(() => false), late])) running.kill("SIGKILL");
  const finished = await running.exited;
  over.abort();
  await host.files.remove(paths.starting);
  if (finished.code === 0) return;
  throw new LabError(
    `domain ${name} did not start: ${(await runtimeComplaint(host, paths.runtimeLog)) ?? describe(finished)}`,
    {
      hint: "`cloison check` says what this machine can do",
    },
  );
}

/** Ends a runtime that goes on making the container though its starter is dead, so that nothing comes up after its destruction. */
export async function endRuntime(host: Host, paths: DomainPaths): Promise<void> {
  if (!(await host.files.exists(paths.starting))) return;
  const processes = (await host.files.list("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    const command = (await host.files.readTextIfExists(`/proc/${pid}/cmdline`)) ?? "";
    if (!command.includes(`\0--bundle\0${paths.directory}\0`)) continue;
    // What it has forked waits for its orders through a pipe, and ends with it, or is in the domain's control group already.
    await host.processes.run({ argv: ["sh", "-c", 'kill -KILL "$1"', "kill", pid] });
  }
}

/**
 * Forgets a container whose processes are gone and whose control group is removed. All that `runc delete` would do beyond
 * that is to remove the state, and it cannot do so when it was killed while it wrote it.
 */
export async function forgetContainer(host: Host, lab: string, name: string): Promise<void> {
  const root = runtimeRoot(lab);
  await host.files.remove(`${root}/${name}`);
  if ((await host.files.exists(root)) && (await host.files.list(root)).length === 0) await host.files.remove(root);
}

/** runc reports a program that a signal ended as a shell does. */
export function exitOf(finished: Finished): Exit {
  const number = (finished.code ?? 0) - 128;
  const signal = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  if (signal === undefined) return finished;
  return { ...finished, code: null, signal: signal as NodeJS.Signals };
}

/** The last reason in a log of JSON lines; null: it gives none. */
export async function runtimeComplaint(host: Host, log: string): Promise<string | null> {
  const lines = ((await host.files.readTextIfExists(log)) ?? "").split("\n").filter((line) => line.startsWith("{"));
  const errors = lines
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ level }) => level === "error" || level === "fatal");
  return errors.at(-1)?.msg ?? null;
}

function describe(finished: Finished): string {
  if (finished.signal === "SIGKILL") return `runc did not end within ${STEP_TIMEOUT_MS} ms`;
  return finished.signal === null ? `runc ended with ${finished.code}` : `runc was ended by ${finished.signal}`;
}

import type { Finished, Host, Running } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan } from "../../model/plan.ts";
import type { ExecOptions, Exit, Workspace } from "../platform.ts";
import { endWhenAsked, killSession } from "../process-session.ts";
import { userIds } from "../user-ids.ts";
import { domainPaths, runtimeRoot } from "./domain-paths.ts";
import { exitOf, isKnown, runtimeComplaint } from "./runtime.ts";

/** How long runc may take to notice that its program was killed. */
const RUNTIME_GRACE_MS = 1000;

/** How long a program that is to be ended may still take to be started, ms, and how often that is looked at. */
const START_GRACE_MS = 10_000;
const START_POLL_MS = 20;

/** Makes the names of pid files differ within this process; the clock does so between processes. */
let runs = 0;

/**
 * Runs a program inside a running domain, under all of its limits. When it is ended from outside (timeout, signal), so is its
 * whole session, and before runc: the end of runc alone would leave it running, and then orphaned to the machine's init, for
 * which the domain's own end would have to wait.
 * @throws LabError when the domain does not run, or lacks the program or the user
 */
export async function execInContainer(
  host: Host,
  workspace: Workspace,
  lab: string,
  domain: DomainPlan,
  argv: [string, ...string[]],
  options: ExecOptions,
): Promise<Exit> {
  runs += 1;
  const files = `${domainPaths(workspace, domain.name).directory}/exec-${host.clock.nowMs().toString(36)}-${runs}`;
  const pidFile = `${files}.pid`;
  const log = `${files}.log`;
  const user =
    options.user === undefined ? [] : ["--user", await userIds(host, workspace.rootfs(domain), domain, options.user)];
  const environment = Object.entries(options.env ?? {}).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const terminal = options.terminal === true ? ["--tty"] : [];
  if (!(await isKnown(host, lab, domain.name))) {
    throw new LabError(`${argv[0]} does not run in domain ${domain.name}: the domain does not run`, {
      hint: "`cloison up FILE` starts it again",
    });
  }
  options.signal?.throwIfAborted();
  try {
    const running = await host.processes.start({
      argv: [
        "runc",
        "--root",
        runtimeRoot(lab),
        "--log",
        log,
        "--log-format",
        "json",
        "exec",
        "--pid-file",
        pidFile,
        ...user,
        ...environment,
        ...terminal,
        domain.name,
        ...argv,
      ],
      output: options.output ?? "capture",
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
    const pidOf = async () => Number(await host.files.readTextIfExists(pidFile)) || null;
    const over = new AbortController();
    const [timedOut] = await Promise.all([
      endsTooLate(host, running, options).finally(() => over.abort()),
      endWhenAsked(host, options.end, over.signal, pidOf),
    ]);
    if (timedOut || options.signal?.aborted === true) {
      const pid = await startedPid(host, running, pidOf);
      if (pid !== null) await killSession(host, `${workspace.cgroup}/${domain.name}`, pid);
      await endsTooLate(host, running, { timeoutMs: RUNTIME_GRACE_MS });
      running.kill("SIGKILL");
    }
    const finished = await running.exited;
    options.signal?.throwIfAborted();
    if (timedOut || (await host.files.exists(pidFile))) return { ...exitOf(finished), timedOut };
    // What it wrote for people may have gone to the user's own terminal.
    return notStarted(
      domain,
      argv,
      finished,
      (await runtimeComplaint(host, log)) ?? finished.stderr.trim().split("\n").at(-1) ?? "",
    );
  } finally {
    await host.files.remove(pidFile);
    await host.files.remove(log);
  }
}

/** A program that is only being started is waited for: killed before, runc would leave it to go on by itself. null: runc has ended. */
async function startedPid(host: Host, running: Running, pidOf: () => Promise<number | null>): Promise<number | null> {
  const deadlineMs = host.clock.monotonicMs() + START_GRACE_MS;
  let pid = await pidOf();
  while (pid === null && host.clock.monotonicMs() < deadlineMs) {
    if (!(await endsTooLate(host, running, { timeoutMs: START_POLL_MS }))) return null;
    pid = await pidOf();
  }
  return pid;
}

/** Waits until the program ends (false), or is to be ended: its time is up (true) or the signal says so (false). */
async function endsTooLate(
  host: Host,
  running: Running,
  options: Pick<ExecOptions, "timeoutMs" | "signal">,
): Promise<boolean> {
  const over = new AbortController();
  const waits: Promise<boolean>[] = [running.exited.then(() => false)];
  if (options.timeoutMs !== undefined) {
    waits.push(
      host.clock.sleep(options.timeoutMs, over.signal).then(
        () => true,
        () => false,
      ),
    );
  }
  if (options.signal !== undefined) {
    const { signal } = options;
    waits.push(
      new Promise((resolve) => {
        if (signal.aborted) resolve(false);
        signal.addEventListener("abort", () => resolve(false), { signal: over.signal });
      }),
    );
  }
  const late = await Promise.race(waits);
  over.abort();
  return late;
}

/** A program that cannot be run is the caller's affair, and told as a shell tells it; a domain that cannot run one is an error. */
function notStarted(domain: DomainPlan, argv: string[], finished: Finished, complaint: string): Exit {
  if (/exec: ".*(not found in \$PATH|no such file or directory)/.test(complaint)) return { ...finished, code: 127 };
  if (/exec: ".*permission denied/.test(complaint)) return { ...finished, code: 126 };
  throw new LabError(
    `${argv[0]} does not run in domain ${domain.name}: ${complaint || `runc ended with ${finished.code}`}`,
    {
      hint: "see whether the domain runs: `cloison ps`",
    },
  );
}

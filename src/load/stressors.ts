import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { StressorKind, StressorLoad } from "../model/experiment.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import type { Reading } from "../model/result.ts";
import type { Exit, Platform, Support, Workspace } from "../platforms/platform.ts";
import { startOutsideServer } from "./outside-server.ts";
import { STRESSOR_TOOLS, stressorCommand, stressorDirectory } from "./stressor-commands.ts";
import { stressorWork } from "./stressor-work.ts";

export type StressReading = Extract<Reading, { metric: "stress" }>;

/** Where a stressor runs, and for how long at most. */
export interface StressorContext {
  host: Host;
  platform: Platform;
  workspace: Workspace;
  plan: LabPlan;
  load: StressorLoad;
  /** Name of the lab's domain that misbehaves, one of `load.on`; on a merging platform several live in one context. */
  on: string;
  /** It ends by itself then, also when this process is dead. */
  deadlineMs: number;
}

export interface RunningStressor {
  /** What it did, once it has ended by itself or by `stop`. Rejects when its domain broke. */
  result: Promise<StressReading>;
  /** Ends it now; the same as `result`. Idempotent. */
  stop(): Promise<StressReading>;
}

/** From the order to the tool at work; a domain that is stressed already takes its time. */
const START_DEADLINE_MS = 20_000;
/** From the signal to the end: the tools have a second to tell what they did, and are killed then. */
const STOP_DEADLINE_MS = 10_000;

const POLL_MS = 20;
/** One block of the disk stressor, which is more than fio writes about itself. */
const WRITING_BYTES = 2 ** 20;

/** Makes ids differ within this process; the clock does so between processes. */
let stressors = 0;

/**
 * Starts a stressor inside a domain, under the domain's limits. Resolves when it is at work.
 * @throws LabError when the domain does not run or lacks the tool
 */
export async function startStressor(context: StressorContext): Promise<RunningStressor> {
  const { host, platform, workspace, plan, load, on, deadlineMs } = context;
  const domain = plan.domains.find(({ members }) => members.includes(on));
  if (domain === undefined)
    throw new LabError(`lab ${plan.lab} has no domain ${on} to run the ${load.stressor} stressor in`);
  stressors += 1;
  const id = `cloison-${load.stressor}-${host.clock.nowMs().toString(36)}-${stressors}`;
  const { oomKills: before } = await platform.usage(host, workspace, domain.name);
  const isNet = load.stressor === "net-transmit" || load.stressor === "net-receive";
  const outside = isNet ? await startOutsideServer(host, plan, workspace.cgroup, deadlineMs) : null;

  const abort = new AbortController();
  const argv = stressorCommand({
    load,
    limits: domain.limits,
    deadlineMs,
    id,
    outside: outside ?? { address: "", port: 0 },
  });
  const exit = platform.exec(host, workspace, plan, domain, argv, { signal: abort.signal });
  const finish = async (): Promise<{ exit: Exit | null; reading: StressReading }> => {
    try {
      const done = await exitUnlessAborted(exit, abort.signal);
      // As shells tell it: the program is not there, or cannot be run.
      if (done?.code === 127 || done?.code === 126) throw notStarted(load.stressor, domain, done);
      if (load.stressor === "disk" && (done === null || done.signal !== null)) await removeFiles(context, domain, id);
      const { oomKills: after } = await platform.usage(host, workspace, domain.name);
      const reading: StressReading = {
        metric: "stress",
        role: "load",
        stressor: load.stressor,
        on,
        instances: load.instances,
        ...stressorWork(load.stressor, done?.stdout ?? ""),
        oomKills: before === null || after === null ? null : after - before,
        tool: STRESSOR_TOOLS[load.stressor],
      };
      return { exit: done, reading };
    } finally {
      await outside?.close();
    }
  };
  const finished = finish();
  const result = finished.then(({ reading }) => reading);
  // Whoever waits for it hears of a failure; that nobody does so yet is no reason to end the program.
  result.catch(() => undefined);
  let leader: number | null;
  try {
    const group = `${workspace.cgroup}/${domain.name}`;
    leader = await untilSeen(host, id, finished, () => findLeader(host, group, id));
    // A disk stressor among CPU stressors may take seconds to begin.
    if (load.stressor === "disk") await untilSeen(host, id, finished, () => findWriter(host, group, id));
  } catch (error) {
    abort.abort();
    await finished;
    throw error;
  }
  if (leader === null) {
    const { exit: early, reading } = await finished;
    if (reading.work === 0) throw notStarted(load.stressor, domain, early);
  }
  let stopping = false;
  return {
    result,
    async stop() {
      if (!stopping && leader !== null) {
        stopping = true;
        await signalEnd(host, leader, finished, abort);
      }
      return result;
    },
  };
}

/**
 * Tries a stressor's tool, for a moment's work.
 * @param root an image that has it; it is not written to. null: the machine's own
 */
export async function checkStressor(host: Host, kind: StressorKind, root: string | null): Promise<Support> {
  const tool = STRESSOR_TOOLS[kind];
  const cgroup = `cloison/_check-${host.clock.nowMs().toString(36)}`;
  const argv: [string, ...string[]] = [tool, ...TRIALS[kind]];
  const remedy = "cloison up examples/study/lab.yaml builds an image that has it";
  try {
    await host.cgroups.ensure(cgroup);
    const finished = await host.processes.run({
      argv: root === null ? argv : ["unshare", "--mount", "sh", "-c", READ_ONLY_CHROOT, "sh", root, ...argv],
      cgroup,
      timeoutMs: CHECK_DEADLINE_MS,
    });
    if (finished.code === 0)
      return { available: true, detail: `${tool} worked${root === null ? "" : ", in an image"}` };
    const complaint = (finished.stderr || finished.stdout).trim().split("\n").at(-1) ?? "";
    return { available: false, reason: `${tool} failed: ${complaint}`, remedy };
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { available: false, reason: error.message, remedy };
  } finally {
    await host.cgroups.destroy(cgroup, CHECK_DEADLINE_MS);
  }
}

/** Runs its further arguments in the root that the first one names, in a mount namespace of its own. */
const READ_ONLY_CHROOT =
  'mount --rbind "$1" "$1" && mount -o remount,bind,ro "$1" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/tmp" && exec chroot "$@"';

const CHECK_DEADLINE_MS = 10_000;

/** Arguments with which each tool does a moment's work. */
const TRIALS: Record<StressorKind, string[]> = {
  cpu: ["--temp-path", "/tmp", "--cpu", "1", "--cpu-ops", "1", "--cpu-method", "int64double"],
  memory: ["--temp-path", "/tmp", "--bigheap", "1", "--bigheap-ops", "1", "--bigheap-growth", "1m"],
  fork: ["--temp-path", "/tmp", "--fork", "1", "--fork-ops", "1"],
  disk: ["--name=trial", "--rw=write", "--size=64k", "--ioengine=psync", "--filename=/dev/null"],
  "net-transmit": ["--version"],
  "net-receive": ["--version"],
};

/** null: it was aborted, so nobody knows what it wrote. */
async function exitUnlessAborted(exit: Promise<Exit>, signal: AbortSignal): Promise<Exit | null> {
  try {
    return await exit;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

/** Looks until there is something to see; null: the stressor had ended before. */
async function untilSeen(
  host: Host,
  id: string,
  finished: Promise<unknown>,
  look: () => Promise<number | null>,
): Promise<number | null> {
  let over = false;
  const end = finished.then(
    () => (over = true),
    () => (over = true),
  );
  const untilMs = host.clock.monotonicMs() + START_DEADLINE_MS;
  while (!over) {
    const seen = await look();
    if (seen !== null) return seen;
    if (host.clock.monotonicMs() > untilMs) throw new LabError(`${id} did not start within ${START_DEADLINE_MS} ms`);
    await Promise.race([end, host.clock.sleep(POLL_MS)]);
  }
  return null;
}

/** Pid of `timeout`, in the machine's numbering. */
async function findLeader(host: Host, group: string, id: string): Promise<number | null> {
  for (const pid of await host.cgroups.pids(group)) {
    const argv = ((await host.files.readTextIfExists(`/proc/${pid}/cmdline`)) ?? "").split("\0");
    if (argv[0] === "timeout" && argv.includes(id)) return pid;
  }
  return null;
}

/** Pid of a fio that writes. */
async function findWriter(host: Host, group: string, id: string): Promise<number | null> {
  for (const pid of await host.cgroups.pids(group)) {
    const command = (await host.files.readTextIfExists(`/proc/${pid}/cmdline`)) ?? "";
    if (!command.startsWith("fio\0") || !command.includes(id)) continue;
    const written = /^wchar: (\d+)$/m.exec((await host.files.readTextIfExists(`/proc/${pid}/io`)) ?? "")?.[1];
    if (Number(written) >= WRITING_BYTES) return pid;
  }
  return null;
}

/** The signal comes from outside: a domain that is out of processes or memory cannot be asked to send it. */
async function signalEnd(
  host: Host,
  leader: number,
  finished: Promise<unknown>,
  abort: AbortController,
): Promise<void> {
  // It may have ended meanwhile. The shell's own `kill` is always there.
  await host.processes.run({ argv: ["sh", "-c", 'kill -TERM "$1"', "kill", String(leader)] });
  const over = new AbortController();
  const late = host.clock.sleep(STOP_DEADLINE_MS, over.signal).then(
    () => abort.abort(),
    () => undefined,
  );
  await Promise.race([
    finished.then(
      () => undefined,
      () => undefined,
    ),
    late,
  ]);
  over.abort();
}

/** A disk stressor that was killed could not remove its files. A domain that is gone took them along. */
async function removeFiles(
  { host, platform, workspace, plan }: StressorContext,
  domain: DomainPlan,
  id: string,
): Promise<void> {
  try {
    await platform.exec(host, workspace, plan, domain, ["rm", "-rf", stressorDirectory(id)]);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
  }
}

function notStarted(kind: StressorKind, domain: DomainPlan, exit: Exit | null): LabError {
  const complaint = exit === null ? "" : (exit.stderr.trim() || exit.stdout.trim()).split("\n").slice(-3).join("\n");
  return new LabError(
    `the ${kind} stressor did nothing in domain ${domain.name}: ${complaint || `exit ${exit?.code ?? exit?.signal}`}`,
    {
      hint: `the domain's image needs ${STRESSOR_TOOLS[kind]}: the recipe \`stress\` has it`,
    },
  );
}

import type { Host } from "../host/host.ts";
import { Tail } from "../host/tail.ts";
import { LabError } from "../model/error.ts";
import type { StressorKind, StressorLoad } from "../model/experiment.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import type { Reading } from "../model/result.ts";
import type { Exit, Platform, Support, Workspace } from "../platforms/platform.ts";
import { startOutsideServer } from "./outside-server.ts";
import { GRACE_S, STRESSOR_TOOLS, stressorCommand, stressorDirectory } from "./stressor-commands.ts";
import { isAtWork, stressorWork } from "./stressor-work.ts";

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
  /** As sentences call it. */
  name: string;
  /** Whether it has ended by itself. */
  hasEnded(): boolean;
  /** What it did, once it has ended by itself or by `stop`. Rejects when its domain broke. */
  result: Promise<StressReading>;
  /** Ends it now; the same as `result`. Idempotent. */
  stop(): Promise<StressReading>;
}

/** From the order to the tool at work; a domain that is stressed already, or emulated, takes its time. */
export const START_DEADLINE_MS = 60_000;
/** From the signal to the end: the tools have some seconds to tell what they did, and are killed then. */
const STOP_DEADLINE_MS = (GRACE_S + 10) * 1000;

/** Kept of what a tool prints. */
const OUTPUT_BYTES = 2 ** 20;

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

  const [kill, end] = [new AbortController(), new AbortController()];
  const argv = stressorCommand({
    load,
    limits: domain.limits,
    deadlineMs,
    id,
    outside: outside ?? { address: "", port: 0 },
  });
  const printed = new Tail(OUTPUT_BYTES);
  let atWork: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (atWork = resolve));
  const take = (chunk: Uint8Array) => {
    printed.push(Buffer.from(chunk));
    if (isAtWork(load.stressor, printed.text())) atWork();
  };
  const output = { stdout: take };
  const exit = platform.exec(host, workspace, plan, domain, argv, { output, signal: kill.signal, end: end.signal });
  const finish = async (): Promise<{ exit: Exit | null; reading: StressReading }> => {
    try {
      const done = await exitUnlessAborted(exit, kill.signal);
      // As shells tell it: the program is not there, or cannot be run.
      if (done?.code === 127 || done?.code === 126) throw notStarted(load.stressor, domain, done, printed.text());
      if (load.stressor === "disk" && (done === null || done.signal !== null)) await removeFiles(context, domain, id);
      const { oomKills: after } = await platform.usage(host, workspace, domain.name);
      const reading: StressReading = {
        metric: "stress",
        role: "load",
        stressor: load.stressor,
        on,
        instances: load.instances,
        ...stressorWork(load.stressor, done === null ? "" : printed.text()),
        oomKills: before === null || after === null ? null : after - before,
        tool: STRESSOR_TOOLS[load.stressor],
      };
      return { exit: done, reading };
    } finally {
      await outside?.close();
    }
  };
  const finished = finish();
  let hasEnded = false;
  const result = finished.then(({ reading }) => {
    hasEnded = !end.signal.aborted && !kill.signal.aborted;
    return reading;
  });
  // Whoever waits for it hears of a failure; that nobody does so yet is no reason to end the program.
  result.catch(() => undefined);
  const started = await within(host, START_DEADLINE_MS, Promise.race([begun, finished]));
  if (!started) {
    kill.abort();
    await finished;
    throw new LabError(
      `the ${load.stressor} stressor in domain ${domain.name} did not start within ${START_DEADLINE_MS / 1000} s`,
    );
  }
  const early = await Promise.race([finished, begun.then(() => null)]);
  if (early?.reading.work === 0) throw notStarted(load.stressor, domain, early.exit, printed.text());
  return {
    name: `the ${load.stressor} stressor on ${on}`,
    hasEnded: () => hasEnded,
    result,
    async stop() {
      if (!end.signal.aborted) {
        end.abort();
        if (!(await within(host, STOP_DEADLINE_MS, Promise.allSettled([finished])))) kill.abort();
      }
      return result;
    },
  };
}

/** Whether it comes to its end in time. */
async function within(host: Host, limitMs: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = host.clock.sleep(limitMs, over.signal).then(
    () => false,
    () => true,
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
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

function notStarted(kind: StressorKind, domain: DomainPlan, exit: Exit | null, printed: string): LabError {
  const complaint = exit === null ? "" : (exit.stderr.trim() || printed.trim()).split("\n").slice(-3).join("\n");
  return new LabError(
    `the ${kind} stressor did nothing in domain ${domain.name}: ${complaint || `exit ${exit?.code ?? exit?.signal}`}`,
    {
      hint: `the domain's image needs ${STRESSOR_TOOLS[kind]}: the recipe \`stress\` has it`,
    },
  );
}

import { workspaceOf, type LabContext, type RootFileSystems } from "../lab/context.ts";
import type { HttpJob } from "../load/load.ts";
import { START_DEADLINE_MS, startStressor, type RunningStressor } from "../load/stressors.ts";
import { LabError } from "../model/error.ts";
import type { Experiment, HttpLoad, Phase } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import type { PageCapacity, Reading, Trial } from "../model/result.ts";
import type { DomainUsage, Platform, Workspace } from "../platforms/platform.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { floorLevelMs } from "../stats/floor.ts";
import { trialReasons } from "../stats/trial-validity.ts";
import { readCpuTime, stealShare } from "./cpu-time.ts";
import { ANNEX_LIMIT_MS, floodJob } from "./jobs.ts";
import { CLIENT_SLACK_MS, resultWithin } from "./load-deadline.ts";
import { recordLoad, type LoadRecord } from "./load-record.ts";
import { LONGEST_PHASE_MS, measure, readyClients, type MeasureStep, type RunningFlood } from "./measure.ts";
import { waitUntilAtRest } from "./rest.ts";
import type { NamedSamples } from "./run-folder.ts";
import type { Station } from "./station.ts";
import { usageBetween } from "./usage.ts";

export type TrialStep =
  | "making the lab ready"
  | "waiting until the domains answer"
  | "starting the load"
  | "settling"
  | MeasureStep
  | "stopping the load";

export interface TrialInputs {
  plan: LabPlan;
  roots: RootFileSystems;
  experiment: Experiment;
  scheduled: ScheduledTrial;
  attempt: number;
  station: Station;
  /** What the platform's domains can do at rest. */
  pages: readonly PageCapacity[];
  /** The run's trials so far. */
  earlier: readonly Trial[];
  onStep(step: TrialStep, recentP95Ms: number | null): void;
  signal?: AbortSignal;
}

export interface TrialOutcome {
  trial: Trial;
  samples: NamedSamples[];
  /** Nothing is known of what it left in the lab and the station: neither is fit for another. */
  broken: boolean;
}

/** What a trial has found out when it comes to its end. */
type Findings = Pick<Trial, "reasons" | "stealShare" | "usage" | "readings"> & Pick<TrialOutcome, "samples" | "broken">;

const NOTHING: Omit<Findings, "reasons"> = { stealShare: null, usage: {}, readings: [], samples: [], broken: true };

interface Place {
  platform: Platform;
  workspace: Workspace;
}

/**
 * Runs one trial: waits until the lab is at rest, starts the loads of its phase, measures through it, ends the loads, and
 * says whether it is valid. Loads go on until the last probe has its answer, so that none is answered by an idle platform.
 * One that breaks off - a domain or a load client died, something never answered - is an invalid trial with that reason.
 * @throws the signal's reason when it comes
 */
export async function runTrial(context: LabContext, inputs: TrialInputs): Promise<TrialOutcome> {
  const { clock } = context.host;
  const { plan, experiment, scheduled, attempt, signal } = inputs;
  const { block, platform, phase } = scheduled;
  const planned = phaseOf(experiment, phase);
  const place = { platform: context.platforms[plan.platform], workspace: workspaceOf(context, plan.lab, inputs.roots) };
  const startedAt = new Date(clock.nowMs()).toISOString();
  const startedMs = clock.monotonicMs();
  let findings: Findings;
  try {
    findings = await conduct(context, inputs, planned, place);
  } catch (error) {
    signal?.throwIfAborted();
    findings = { ...NOTHING, reasons: [...(await deathReasons(context, place, plan)), brokeOff(error)] };
  }
  const { samples, broken, ...found } = findings;
  return {
    trial: {
      id: `${block}-${platform}-${phase}-${attempt}`,
      block,
      platform,
      phase,
      attempt,
      startedAt,
      durationMs: clock.monotonicMs() - startedMs,
      valid: found.reasons.length === 0,
      ...found,
    },
    samples,
    broken,
  };
}

export function phaseOf({ phases }: Experiment, name: string): Phase {
  const phase = phases[name];
  if (phase === undefined) throw new Error(`the schedule names a phase ${name} that there is not`);
  return phase;
}

async function conduct(context: LabContext, inputs: TrialInputs, phase: Phase, place: Place): Promise<Findings> {
  const { host } = context;
  const { plan, experiment, scheduled } = inputs;
  inputs.onStep("waiting until the domains answer", null);
  await readyClients(inputs);
  await Promise.all(phase.floods.map((_, i) => inputs.station.flood(`${i}`)));
  const unrest = await waitUntilAtRest(host, inputs);
  // Nothing can be learnt of what does not even answer.
  if (unrest !== null && !unrest.answers)
    return { ...NOTHING, reasons: [...(await deathReasons(context, place, plan)), unrest.reason] };

  const usageBefore = await readUsage(context, place, plan);
  const cpus = [...new Set([...plan.placement.platform, ...plan.placement.station, ...plan.placement.probe])];
  const cpuBefore = await readCpuTime(host, cpus);
  const { records, stress, idle } = await underLoad(context, inputs, phase, place);
  const steal = stealShare(cpuBefore, await readCpuTime(host, cpus));
  const usageAfter = await readUsage(context, place, plan);

  const readings = [...records.map(({ reading }) => reading), ...stress];
  const reasons = trialReasons({
    isReference: scheduled.phase === experiment.reference,
    functional: experiment.functional,
    readings,
    stealShare: steal,
    planned: phase,
    floorLevelMs: floorLevelMs(inputs.earlier, experiment.reference),
    generators: records.map(({ generator }) => generator),
    idleStressors: idle,
    deadDomains: await deadDomains(context, place, plan),
  });
  return {
    reasons: unrest === null ? reasons : [unrest.reason, ...reasons],
    stealShare: steal,
    usage: usageBetween(usageBefore, usageAfter),
    readings,
    samples: records.map(({ name, samples }) => ({ reading: name, samples })),
    broken: unrest !== null,
  };
}

/** Starts the loads of the phase, measures, and ends them whatever happens. */
async function underLoad(
  { host }: LabContext,
  inputs: TrialInputs,
  phase: Phase,
  place: Place,
): Promise<{ records: LoadRecord[]; stress: Reading[]; idle: string[] }> {
  const { plan, experiment, signal } = inputs;
  const durationMs = phase.duration ?? experiment.duration;
  const lastsAsFloods = phase.floods.some(({ requests }) => requests !== undefined);
  const longestMs = lastsAsFloods ? LONGEST_PHASE_MS : experiment.settle + durationMs + lastAnswerMs(experiment);
  const stressors: RunningStressor[] = [];
  // Whoever has begun goes on while those after it begin.
  const deadlineMs = longestMs + phase.stressors.length * START_DEADLINE_MS;
  const floods: (RunningFlood & { flood: HttpLoad; job: HttpJob })[] = [];
  const end = async () => {
    for (const { running } of floods) running.stop({ drain: false });
    // Each has been told to end before the failure of any is acted on.
    return Promise.allSettled(stressors.map((stressor) => stressor.stop()));
  };
  let measured: Awaited<ReturnType<typeof measure>>;
  try {
    inputs.onStep("starting the load", null);
    for (const load of phase.stressors) {
      signal?.throwIfAborted();
      const started = await Promise.allSettled(
        load.on.map((on) => startStressor({ host, ...place, plan, load, on, deadlineMs })),
      );
      // Each that has begun is known, and so ended, before the failure of any is acted on.
      stressors.push(...started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
      for (const one of started) if (one.status === "rejected") throw one.reason;
    }
    for (const [i, flood] of phase.floods.entries()) {
      const job = floodJob(plan, flood, longestMs);
      floods.push({ flood, job, running: (await inputs.station.flood(`${i}`)).start(job) });
    }
    inputs.onStep("settling", null);
    await host.clock.sleep(experiment.settle, signal);
    const untilDone = floods.filter(({ flood }) => flood.requests !== undefined);
    measured = await measure(host, inputs, durationMs, untilDone);
  } catch (error) {
    await end();
    throw error;
  }
  const idle = stressors.filter((stressor) => stressor.hasEnded()).map(({ name }) => name);
  inputs.onStep("stopping the load", null);
  const { records, annexMs } = measured;
  const ended = await end();
  for (const { flood, job, running } of floods) {
    const result = await resultWithin(host, `the flood of ${flood.on}`, running, CLIENT_SLACK_MS, signal);
    records.push(recordLoad(flood, job, result, experiment.settle + annexMs + durationMs));
  }
  const stress = ended.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
  return { records, stress, idle };
}

/** From the end of a phase until nothing of it can be unanswered any more: then the loads' own deadline may end them. */
function lastAnswerMs({ probes, annex }: Experiment): number {
  const timeoutMs = Math.max(...probes.map(({ timeout }) => timeout));
  return annex.runs * (ANNEX_LIMIT_MS + timeoutMs) + CLIENT_SLACK_MS;
}

function brokeOff(error: unknown): string {
  if (error instanceof LabError) return `it broke off: ${error.message}`;
  // Of use to whoever mends it.
  const where = error instanceof Error ? error.stack?.split("\n").slice(0, 3).join(" ") : undefined;
  return `it broke off unexpectedly: ${where ?? String(error)}`;
}

async function deathReasons(context: LabContext, place: Place, plan: LabPlan): Promise<string[]> {
  try {
    return (await deadDomains(context, place, plan)).map((name) => `domain ${name} died during the trial`);
  } catch (error) {
    return [`which domains live can't be told: ${error instanceof Error ? error.message : String(error)}`];
  }
}

async function deadDomains({ host }: LabContext, { platform, workspace }: Place, plan: LabPlan): Promise<string[]> {
  const states = await platform.list(host, workspace, plan);
  const running = new Set(states.filter(({ state }) => state === "running").map(({ name }) => name));
  return plan.domains.map(({ name }) => name).filter((name) => !running.has(name));
}

async function readUsage(
  { host }: LabContext,
  { platform, workspace }: Place,
  plan: LabPlan,
): Promise<Map<string, DomainUsage>> {
  const pairs = plan.domains.map(async ({ name }) => [name, await platform.usage(host, workspace, name)] as const);
  return new Map(await Promise.all(pairs));
}

import type { Host } from "../host/host.ts";
import type { Experiment, HttpLoad } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import type { PageCapacity } from "../model/result.ts";
import { READINESS_REQUESTS, readinessJob } from "./jobs.ts";
import { CLIENT_SLACK_MS, resultWithin } from "./load-deadline.ts";
import type { Station } from "./station.ts";

/** How long a platform may take to answer again after the trial before, ms; longer where what a flood leaves takes longer. */
const RECOVERY_LIMIT_MS = 30_000;
/** At rest is what is probed when it answers within this share of what is abnormally slow, */
const REST_SHARE = 0.25;
/** or as fast as it did when nothing else ran, times this. */
const REST_FACTOR = 2;
const POLL_MS = 100;

interface RestInputs {
  plan: LabPlan;
  /** What the platform's domains can do at rest. */
  pages: readonly PageCapacity[];
  experiment: Experiment;
  station: Station;
  onStep(step: "waiting until the domains answer", recentP95Ms: null): void;
  signal?: AbortSignal;
}

/** Why a lab is not fit for a trial. */
export interface Unrest {
  /** Whether everything answers, if slowly. */
  answers: boolean;
  reason: string;
}

/**
 * Waits until everything that any phase floods or probes answers at once: what a flood left in a server's queue would be
 * the next trial's load. null when it does.
 */
export async function waitUntilAtRest(host: Host, inputs: RestInputs): Promise<Unrest | null> {
  const { probes, phases, thresholds } = inputs.experiment;
  const floods = Object.values(phases).flatMap((phase) => phase.floods);
  const recoveryMs = Math.max(RECOVERY_LIMIT_MS, ...floods.map((one) => REST_FACTOR * drainMs(one, inputs.pages)));
  const deadlineMs = host.clock.monotonicMs() + recoveryMs;
  const pages = new Map<string, { target: string; path: string; limitMs: number }>();
  const add = (target: string, path: string, limitMs: number) => {
    const { aloneMs = 0 } = capacityOf(inputs.pages, target, path) ?? {};
    pages.set(`${target}${path}`, { target, path, limitMs: Math.max(limitMs, REST_FACTOR * aloneMs) });
  };
  for (const { on, path } of floods) add(on, path, thresholds.abnormal);
  for (const probe of probes) {
    if (probe.probe === "http") add(probe.target, probe.path, REST_SHARE * thresholds.abnormal);
  }
  for (const page of pages.values()) {
    const unrest = await waitForPage(host, inputs, page, { deadlineMs, recoveryMs });
    if (unrest === null) continue;
    return unrest.answers ? unrest : { ...unrest, reason: `${unrest.reason} before the trial` };
  }
  return null;
}

function capacityOf(pages: readonly PageCapacity[], target: string, path: string): PageCapacity | undefined {
  return pages.find((page) => page.target === target && page.path === path);
}

/** How long a server works off what a flood has asked: that stays in its queue when the client has left. */
export function drainMs({ on, path, concurrency }: HttpLoad, pages: readonly PageCapacity[]): number {
  const capacity = capacityOf(pages, on, path);
  return capacity === undefined ? 0 : (1000 * concurrency) / capacity.perSecond;
}

/** Waits until a page is answered within so long; null when it is. */
export async function waitForPage(
  host: Host,
  { plan, station, onStep, signal }: Pick<RestInputs, "plan" | "station" | "onStep" | "signal">,
  { target, path, limitMs }: { target: string; path: string; limitMs: number },
  { deadlineMs, recoveryMs }: { deadlineMs: number; recoveryMs: number },
): Promise<Unrest | null> {
  const client = await station.probe("floor");
  for (;;) {
    signal?.throwIfAborted();
    onStep("waiting until the domains answer", null);
    const { job, longestMs } = readinessJob(plan, { target, path, limitMs });
    const load = client.start(job);
    const { samples } = await resultWithin(host, `the look at ${target}`, load, longestMs + CLIENT_SLACK_MS, signal);
    const slowestMs = Math.max(...samples.totalNs) / 1e6;
    const answers = samples.error.length === READINESS_REQUESTS && samples.error.every((error) => error === 0);
    if (answers && slowestMs <= limitMs) return null;
    if (host.clock.monotonicMs() > deadlineMs) {
      const waited = `${Math.round(recoveryMs / 1000)} s`;
      const reason = answers
        ? `${target} was not at rest: after ${waited} a request still took ${slowestMs.toFixed(0)} ms; the limit is ${Math.round(limitMs)} ms`
        : `${target} did not answer within ${waited}`;
      return { answers, reason };
    }
    await host.clock.sleep(POLL_MS, signal);
  }
}

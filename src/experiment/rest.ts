import type { Host } from "../host/host.ts";
import type { Experiment } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import { READINESS_LIMIT_MS, READINESS_REQUESTS, readinessJob } from "./jobs.ts";
import { CLIENT_SLACK_MS, resultWithin } from "./load-deadline.ts";
import type { Station } from "./station.ts";

/** How long a platform may take to answer again after the trial before, ms. */
const RECOVERY_LIMIT_MS = 30_000;
/** At rest is what is probed when it answers within this share of what is abnormally slow. */
const REST_SHARE = 0.25;
const POLL_MS = 100;

interface RestInputs {
  plan: LabPlan;
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
  const deadlineMs = host.clock.monotonicMs() + RECOVERY_LIMIT_MS;
  const pages = new Map<string, { target: string; path: string; limitMs: number }>();
  for (const { on, path } of Object.values(phases).flatMap(({ floods }) => floods)) {
    pages.set(`${on}${path}`, { target: on, path, limitMs: thresholds.abnormal });
  }
  for (const probe of probes) {
    if (probe.probe !== "http") continue;
    pages.set(`${probe.target}${probe.path}`, { ...probe, limitMs: REST_SHARE * thresholds.abnormal });
  }
  for (const page of pages.values()) {
    const unrest = await waitForPage(host, inputs, page, deadlineMs);
    if (unrest !== null) return unrest;
  }
  return null;
}

async function waitForPage(
  host: Host,
  { plan, station, onStep, signal }: RestInputs,
  { target, path, limitMs }: { target: string; path: string; limitMs: number },
  deadlineMs: number,
): Promise<Unrest | null> {
  const client = await station.probe("floor");
  for (;;) {
    signal?.throwIfAborted();
    onStep("waiting until the domains answer", null);
    const load = client.start(readinessJob(plan, target, path));
    const { samples } = await resultWithin(
      host,
      `the look at ${target}`,
      load,
      READINESS_LIMIT_MS + CLIENT_SLACK_MS,
      signal,
    );
    const slowestMs = Math.max(...samples.totalNs) / 1e6;
    const answers = samples.error.length === READINESS_REQUESTS && samples.error.every((error) => error === 0);
    if (answers && slowestMs <= limitMs) return null;
    if (host.clock.monotonicMs() > deadlineMs) {
      const waited = `${RECOVERY_LIMIT_MS / 1000} s`;
      const reason = answers
        ? `${target} was not at rest: after ${waited} a request still took ${slowestMs.toFixed(0)} ms; the limit is ${limitMs} ms`
        : `${target} did not answer within ${waited} before the trial`;
      return { answers, reason };
    }
    await host.clock.sleep(POLL_MS, signal);
  }
}

import type { Trial } from "../model/result.ts";
import type { Samples } from "../model/samples.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { summarizeRequests } from "../stats/requests.ts";

/** A trial without readings, for tests. */
export function trialOf(scheduled: Omit<ScheduledTrial, "annex">, attempt: number, reasons: string[] = []): Trial {
  const { block, platform, phase } = scheduled;
  return {
    id: `${block}-${platform}-${phase}-${attempt}`,
    block,
    platform,
    phase,
    attempt,
    startedAt: "2026-01-01T00:00:00.000Z",
    durationMs: 1000,
    valid: reasons.length === 0,
    reasons,
    stealShare: 0,
    usage: {},
    readings: [],
  };
}

/** Requests that were answered with status 200 after so many ms each, for tests. */
export function samplesOf(latenciesMs: number[], changes: Partial<Samples> = {}): Samples {
  const times = Float64Array.from(latenciesMs, (ms) => ms * 1e6);
  const begun = Float64Array.from(latenciesMs, (_, i) => i * 10e6);
  return {
    intendedNs: begun,
    startNs: begun.slice(),
    connectNs: times.map((ns) => ns / 2),
    firstByteNs: times.slice(),
    totalNs: times,
    status: new Uint16Array(latenciesMs.length).fill(200),
    bytes: new Float64Array(latenciesMs.length).fill(100),
    error: new Uint8Array(latenciesMs.length),
    ...changes,
  };
}

/** A trial whose floor and probe answered evenly after so many ms, for tests. */
export function measuredTrial(scheduled: Omit<ScheduledTrial, "annex">, attempt: number, floorMs: number): Trial {
  const { requests, ok, failed, timeouts, cutOff, ms, p95WithFailures, outliers, serviceMs } = summarizeRequests(
    samplesOf(Array.from({ length: 20 }, () => floorMs)),
    "http",
  );
  const reading = (role: "floor" | "probe", target: string): Trial["readings"][number] => ({
    metric: "http",
    role,
    run: null,
    target,
    engine: "epoll",
    mode: "open",
    concurrency: null,
    rateHz: 50,
    path: "/",
    sendDelayP95Ms: 0,
    requests,
    ok,
    failed,
    timeouts,
    cutOff,
    ms,
    p95WithFailures,
    outliers,
    serviceMs,
  });
  return { ...trialOf(scheduled, attempt), readings: [reading("floor", "outside"), reading("probe", "apache1")] };
}

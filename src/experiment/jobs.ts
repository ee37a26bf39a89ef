import type { HttpLoad, Probe } from "../model/experiment.ts";
import type { LabPlan, Target } from "../model/plan.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { HttpJob, LoadJob } from "../load/load.ts";

/** What of a plan says where to send requests. */
export type Addresses = Pick<LabPlan, "lab" | "targets" | "machines">;

/** Requests a second of the probe that watches the floor: the way to an idle machine outside the platform. */
export const FLOOR_RATE_HZ = 50;
const FLOOR_TIMEOUT_MS = 2000;
/** `ab`'s default, which the study used. */
export const FLOOD_TIMEOUT_MS = 30_000;
/** The study's probe may not hold up a phase for longer. */
export const ANNEX_LIMIT_MS = 20_000;

/** @throws LabError for a name that is no domain of the lab */
export function targetOf(plan: Addresses, name: string): Target {
  const target = plan.targets[name];
  if (target === undefined) throw new LabError(`${name} is not a domain of lab ${plan.lab}`, { exit: ExitCode.usage });
  return target;
}

function page(target: Target, path: string): Pick<HttpJob, "kind" | "address" | "port" | "host" | "path"> {
  return { kind: "http", address: target.address, port: target.port, host: target.host, path };
}

/** What a probe sends during one phase. */
export function probeJob(plan: Addresses, probe: Probe, durationMs: number): LoadJob {
  const target = targetOf(plan, probe.target);
  const timeoutMs = probe.timeout;
  switch (probe.probe) {
    case "http":
      return {
        ...page(target, probe.path),
        keepAlive: false,
        timeoutMs,
        loop: { mode: "open", rateHz: probe.rate, durationMs },
      };
    case "ping":
      return {
        kind: "ping",
        address: target.address,
        timeoutMs,
        loop: { mode: "open", rateHz: probe.rate, durationMs },
      };
    case "connect":
      return {
        kind: "connect",
        address: target.address,
        port: probe.port,
        timeoutMs,
        loop: { mode: "open", rateHz: probe.rate, durationMs },
      };
    case "transfer":
      return {
        ...page(target, probe.path),
        keepAlive: false,
        timeoutMs,
        loop: { mode: "closed", concurrency: 1, requests: 1, durationMs: null },
      };
  }
}

export function floorJob(plan: Addresses, durationMs: number): HttpJob {
  return {
    kind: "http",
    address: plan.machines.outside.address,
    port: 80,
    host: "outside",
    path: "/",
    keepAlive: false,
    timeoutMs: FLOOR_TIMEOUT_MS,
    loop: { mode: "open", rateHz: FLOOR_RATE_HZ, durationMs },
  };
}

export function annexJob(
  plan: Addresses,
  probe: { target: string; path: string; timeout: number },
  requests: number,
  concurrency: number,
): HttpJob {
  return {
    ...page(targetOf(plan, probe.target), probe.path),
    keepAlive: false,
    timeoutMs: probe.timeout,
    loop: { mode: "closed", concurrency, requests, durationMs: ANNEX_LIMIT_MS },
  };
}

/** A flood lasts until its requests are done, or until it is stopped. */
export function floodJob(plan: Addresses, flood: HttpLoad, longestMs: number): HttpJob {
  return {
    ...page(targetOf(plan, flood.on), flood.path),
    keepAlive: flood.keepAlive,
    timeoutMs: FLOOD_TIMEOUT_MS,
    loop: {
      mode: "closed",
      concurrency: flood.concurrency,
      requests: flood.requests ?? null,
      durationMs: flood.requests === undefined ? longestMs : null,
    },
  };
}

/** Requests of a readiness job, one after the other. */
export const READINESS_REQUESTS = 3;
/** How long each may take: a page that takes twice what it is held to is not ready. */
const READINESS_TIMEOUT_MS = { least: 2000, most: 10_000 };

/** A few requests, to see whether a domain answers within a limit. */
export function readinessJob(
  plan: Addresses,
  { target, path, limitMs }: { target: string; path: string; limitMs: number },
): { job: HttpJob; longestMs: number } {
  const { least, most } = READINESS_TIMEOUT_MS;
  const timeoutMs = Math.min(most, Math.max(least, 2 * limitMs));
  const longestMs = (READINESS_REQUESTS - 1) * timeoutMs;
  const loop = { concurrency: 1, requests: READINESS_REQUESTS, durationMs: longestMs };
  return { job: pageJob(plan, target, path, loop, timeoutMs), longestMs: longestMs + timeoutMs };
}

/** Requests of one page, on so many connections at a time. */
export function pageJob(
  plan: Addresses,
  name: string,
  path: string,
  loop: { concurrency: number; requests: number | null; durationMs: number },
  timeoutMs: number,
): HttpJob {
  return { ...page(targetOf(plan, name), path), keepAlive: false, timeoutMs, loop: { mode: "closed", ...loop } };
}

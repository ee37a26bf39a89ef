import type { HttpJob, LoadResult } from "../load/load.ts";
import type { HttpLoad, Probe } from "../model/experiment.ts";
import type { Reading } from "../model/result.ts";
import { ERROR_KINDS } from "../model/samples.ts";
import { summarizeRequests, type RequestFigures } from "../stats/requests.ts";

type HttpReading = Extract<Reading, { metric: "http" }>;
type FloodReading = Extract<Reading, { metric: "flood" }>;

/** Fields that a probe's and a flood's reading share. */
function httpFields(target: string, job: HttpJob, result: LoadResult, figures: RequestFigures) {
  const { loop } = job;
  return {
    target,
    engine: result.engine,
    mode: loop.mode,
    requests: figures.requests,
    concurrency: loop.mode === "closed" ? loop.concurrency : null,
    rateHz: loop.mode === "open" ? loop.rateHz : null,
    path: job.path,
    ok: figures.ok,
    failed: figures.failed,
    timeouts: figures.timeouts,
    cutOff: figures.cutOff,
    ms: figures.ms,
    p95WithFailures: figures.p95WithFailures,
    outliers: figures.outliers,
  };
}

export function httpReading(
  role: HttpReading["role"],
  target: string,
  job: HttpJob,
  result: LoadResult,
  figures: RequestFigures,
  run: number | null,
): HttpReading {
  return {
    metric: "http",
    role,
    run,
    ...httpFields(target, job, result, figures),
    serviceMs: figures.serviceMs,
    sendDelayP95Ms: result.sendDelayMs?.p95 ?? null,
  };
}

export function floodReading(flood: HttpLoad, job: HttpJob, result: LoadResult, figures: RequestFigures): FloodReading {
  return {
    metric: "flood",
    role: "load",
    ...httpFields(flood.on, job, result, figures),
    perSecond: result.elapsedMs > 0 ? figures.ok / (result.elapsedMs / 1000) : 0,
    clientCpuShare: result.elapsedMs > 0 ? result.clientCpuNs / 1e6 / result.elapsedMs : 0,
  };
}

/** The reading of a probe other than HTTP. */
export function otherReading(probe: Probe, result: LoadResult): Reading {
  const { samples, engine } = result;
  const { target } = probe;
  switch (probe.probe) {
    case "http":
      throw new Error("an http probe has an http job");
    case "ping": {
      const figures = summarizeRequests(samples, "ping");
      return {
        metric: "ping",
        role: "probe",
        target,
        engine,
        sent: figures.requests,
        lost: figures.timeouts + figures.failed,
        ms: figures.ms,
        p95WithFailures: figures.p95WithFailures,
      };
    }
    case "connect": {
      const { requests, ok, failed, timeouts, ms, p95WithFailures } = summarizeRequests(samples, "connect");
      return { metric: "connect", role: "probe", target, engine, requests, ok, failed, timeouts, ms, p95WithFailures };
    }
    case "transfer": {
      const figures = summarizeRequests(samples, "http");
      const bytes = samples.bytes[0] ?? 0;
      const totalMs = figures.serviceMs?.median ?? null;
      return {
        metric: "transfer",
        role: "probe",
        target,
        engine,
        bytes,
        ok: figures.ok === 1,
        error: figures.ok === 1 ? null : transferError(samples),
        totalMs,
        mibPerSecond: totalMs === null || totalMs === 0 ? null : bytes / 2 ** 20 / (totalMs / 1000),
      };
    }
  }
}

function transferError({ error, status }: LoadResult["samples"]): string {
  const [kind] = error;
  if (kind === undefined) return "nothing was sent";
  return kind === 0 ? `status ${status[0]}` : (ERROR_KINDS[kind] ?? "unknown");
}

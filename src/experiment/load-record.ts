import type { HttpJob, LoadJob, LoadResult } from "../load/load.ts";
import type { HttpLoad, Probe } from "../model/experiment.ts";
import type { Reading } from "../model/result.ts";
import type { Samples } from "../model/samples.ts";
import { peakConcurrency, summarizeRequests } from "../stats/requests.ts";
import type { GeneratorFacts } from "../stats/trial-validity.ts";
import { floodReading, httpReading, otherReading } from "./readings.ts";

/** What one load client brought home. */
export interface LoadRecord {
  /** Name of the reading in the samples file. */
  name: string;
  samples: Samples;
  reading: Reading;
  /** What its generator did, for the validity of the trial. */
  generator: GeneratorFacts;
}

/** @param durationMs length that an open loop was asked for; null when it was open-ended */
export function recordProbe(
  role: "probe" | "floor" | "annex",
  probe: Probe,
  job: LoadJob,
  result: LoadResult,
  run: number | null,
  durationMs: number | null,
): LoadRecord {
  const { samples } = result;
  const figures = summarizeRequests(samples, job.kind);
  // Curves are drawn of what is labelled `probe:`.
  const label = probe.probe === "http" ? role : probe.probe;
  const name = [label, probe.target, ...(run === null ? [] : [run])].join(":");
  const begun = samples.error.length;
  const paced =
    job.loop.mode === "closed"
      ? null
      : {
          due: durationMs === null ? begun : (job.loop.rateHz * durationMs) / 1000,
          begun,
          // Only an HTTP reading counts from when a request was due; ping and connect are late without being longer.
          sendDelayP95Ms: job.kind === "http" ? (result.sendDelayMs?.p95 ?? 0) : 0,
        };
  return {
    name,
    samples,
    reading:
      probe.probe === "http" && job.kind === "http"
        ? httpReading(role, probe.target, job, result, figures, run)
        : otherReading(probe, result),
    generator: {
      name: generatorName(role, probe),
      noPort: figures.noPort,
      noDescriptor: figures.noDescriptor,
      paced,
      closed: null,
    },
  };
}

/** As sentences call what sends a probe's requests. */
export function generatorName(
  role: "probe" | "floor" | "annex",
  { probe, target }: Pick<Probe, "probe" | "target">,
): string {
  if (role === "floor") return "the floor";
  const kind = role === "annex" ? "annex probe" : probe === "http" ? "probe" : `${probe} probe`;
  return `the ${kind} of ${target}`;
}

/** @param wantedMs from the flood's start to the end of what is measured */
export function recordLoad(flood: HttpLoad, job: HttpJob, result: LoadResult, wantedMs: number): LoadRecord {
  const { samples } = result;
  const figures = summarizeRequests(samples, "http");
  return {
    name: `flood:${flood.on}`,
    samples,
    reading: floodReading(flood, job, result, figures),
    generator: {
      name: `the flood of ${flood.on}`,
      noPort: figures.noPort,
      noDescriptor: figures.noDescriptor,
      paced: null,
      closed: {
        concurrency: flood.concurrency,
        peak: peakConcurrency(samples, job.timeoutMs),
        counted: flood.requests === undefined ? null : { tookMs: result.elapsedMs, wantedMs },
      },
    },
  };
}

import type { Experiment, Probe } from "../model/experiment.ts";
import type { Calibration, PageCapacity } from "../model/result.ts";

/** A probe is to take no more than this share of what its target can answer: at more it would measure itself. */
export const PROBE_SHARE = 0.3;

/** Requests of a probe that a phase is to have at least: as many as the study's own had. */
const LEAST_REQUESTS = 50;

/**
 * By how much the loads of a run are scaled down: so far that on every platform each HTTP probe is light for its target. One
 * number for all platforms, so that all have the same load. 1: as planned.
 */
export function loadScale(
  experiment: Experiment,
  pages: readonly PageCapacity[],
): Pick<Calibration, "scale" | "limitedBy"> {
  const shares = experiment.probes.flatMap((probe) => {
    if (probe.probe !== "http") return [];
    const ofProbe = pages.filter(({ target, path }) => target === probe.target && path === probe.path);
    return ofProbe.map((page) => ({ page, share: (PROBE_SHARE * page.perSecond) / probe.rate }));
  });
  const [least] = shares.toSorted((a, b) => a.share - b.share);
  if (least === undefined || least.share >= 1) return { scale: 1, limitedBy: null };
  return { scale: roundDown(least.share), limitedBy: least.page };
}

/** Two digits that a reader can remember. */
function roundDown(share: number): number {
  const unit = 10 ** (Math.floor(Math.log10(share)) - 1);
  return Number((Math.floor(share / unit) * unit).toPrecision(2));
}

/**
 * The experiment with its loads scaled: fewer requests a second of the probes that a server answers, phases that are long enough
 * for some of them, and fewer requests of floods that have a number. How many connections a flood has, and what stressors do,
 * is as planned: these take what they get.
 */
export function scaledLoads(experiment: Experiment, scale: number): Experiment {
  if (scale === 1) return experiment;
  const probes = experiment.probes.map((probe) => scaledProbe(probe, scale));
  const slowest = Math.min(...probes.flatMap((probe) => (probe.probe === "http" ? [probe.rate] : [])));
  const leastMs = Math.ceil((1000 * LEAST_REQUESTS) / slowest);
  const phases = Object.entries(experiment.phases).map(([name, phase]) => [
    name,
    {
      ...phase,
      ...(phase.duration === undefined ? {} : { duration: Math.max(phase.duration, leastMs) }),
      floods: phase.floods.map(({ requests, ...flood }) => ({
        ...flood,
        // Enough to have all of its connections open.
        ...(requests === undefined ? {} : { requests: Math.max(flood.concurrency, Math.round(scale * requests)) }),
      })),
    },
  ]);
  return {
    ...experiment,
    probes,
    duration: Math.max(experiment.duration, leastMs),
    phases: Object.fromEntries(phases) as Experiment["phases"],
  };
}

function scaledProbe(probe: Probe, scale: number): Probe {
  if (probe.probe !== "http" && probe.probe !== "connect") return probe;
  return { ...probe, rate: Number((probe.rate * scale).toPrecision(6)) };
}

import type { Experiment, Probe } from "../model/experiment.ts";
import type { Calibration, PageCapacity } from "../model/result.ts";

/**
 * A probe is to keep its target busy no more than this share of the time: at more it would measure the queue of its own requests.
 * By the utilization law, U = X S: requests a second times how long each takes alone. That is asked one after the other without a pause;
 * what comes paced costs an emulated domain twice as much (10 ms of CPU against 5: processors sleep between requests).
 */
export const PROBE_SHARE = 0.2;

/** Answers to a probe, and to a flood, that a phase is to be long enough for: as many as the study's own probe had. */
const LEAST_ANSWERS = 50;

/** A phase that would have to be longer for that is not. */
const LONGEST_MS = 60_000;

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
    return ofProbe.map((page) => ({ page, share: (PROBE_SHARE * 1000) / (page.aloneMs * probe.rate) }));
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
 * The experiment with its loads scaled: fewer requests a second of the probes that a server answers, and fewer requests of floods
 * that have a number. How many connections a flood has, and what stressors do, is as planned: these take what they get. Phases
 * are long enough for some answers to the probes, and on the slowest platform to the floods that last as long as their phase.
 */
export function scaledLoads(
  experiment: Experiment,
  { scale, pages }: Pick<Calibration, "scale" | "pages">,
): Experiment {
  const probes = experiment.probes.map((probe) => (scale === 1 ? probe : scaledProbe(probe, scale)));
  // Phases that nothing was scaled for are long enough for their probes.
  const probesMs = scale === 1 ? 0 : answersMs(probes.flatMap((one) => (one.probe === "http" ? [one.rate] : [])));
  const duration = Math.max(experiment.duration, probesMs);
  const phases = Object.entries(experiment.phases).map(([name, phase]) => {
    const lasting = experiment.functional ? [] : phase.floods.filter(({ requests }) => requests === undefined);
    const floodsMs = answersMs(
      lasting
        .flatMap(({ on, path }) => pages.filter((page) => page.target === on && page.path === path))
        .map((page) => page.perSecond),
    );
    const own = Math.max(phase.duration ?? duration, probesMs, floodsMs);
    const floods = phase.floods.map(({ requests, ...flood }) => ({
      ...flood,
      // Enough to have all of its connections open.
      ...(requests === undefined ? {} : { requests: Math.max(flood.concurrency, Math.round(scale * requests)) }),
    }));
    return [name, { ...phase, ...(own === (phase.duration ?? duration) ? {} : { duration: own }), floods }];
  });
  return { ...experiment, probes, duration, phases: Object.fromEntries(phases) as Experiment["phases"] };
}

/** How long the least answers take at the slowest of these rates, answers a second; none: no time. */
function answersMs(rates: readonly number[]): number {
  return rates.length === 0 ? 0 : Math.min(LONGEST_MS, Math.ceil((1000 * LEAST_ANSWERS) / Math.min(...rates)));
}

function scaledProbe(probe: Probe, scale: number): Probe {
  if (probe.probe !== "http" && probe.probe !== "connect") return probe;
  return { ...probe, rate: Number((probe.rate * scale).toPrecision(6)) };
}

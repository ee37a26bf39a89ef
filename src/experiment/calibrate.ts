import type { Host } from "../host/host.ts";
import type { LoadResult } from "../load/load.ts";
import type { Experiment } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import type { PageCapacity } from "../model/result.ts";
import { summarizeRequests } from "../stats/requests.ts";
import { pageJob } from "./jobs.ts";
import { CLIENT_SLACK_MS, resultWithin } from "./load-deadline.ts";
import { waitForPage } from "./rest.ts";
import type { Station } from "./station.ts";

/** From a domain's start to the first answer of its server. */
const START_LIMIT_MS = 180_000;

/** An emulated system is translated while it first runs; code is cached elsewhere too. */
const WARM_UP = { concurrency: 1, requests: 10, durationMs: 10_000 };
const ALONE = { concurrency: 1, requests: null, durationMs: 1500 };
/** As many connections as the study's probe had. */
const FULL = { concurrency: 5, requests: null, durationMs: 1500 };

const TIMEOUT_MS = 10_000;

interface CalibrationInputs {
  plan: LabPlan;
  experiment: Experiment;
  station: Station;
  signal?: AbortSignal;
}

/**
 * What the domains of a platform can answer when nothing else is asked of it, for every page that is probed or flooded: how
 * long one request takes that is alone, and how many a second are answered. Nothing of a page that is not answered, or wrongly:
 * the trials that need it say so, and other platforms are measured all the same.
 */
export async function calibrate(host: Host, inputs: CalibrationInputs): Promise<PageCapacity[]> {
  const { plan, experiment, station, signal } = inputs;
  const client = await station.probe("floor");
  const ask = async (target: string, path: string, loop: typeof WARM_UP | typeof FULL): Promise<LoadResult> => {
    const job = pageJob(plan, target, path, loop, TIMEOUT_MS);
    const name = `the look at what ${target} can do`;
    return resultWithin(host, name, client.start(job), loop.durationMs + TIMEOUT_MS + CLIENT_SLACK_MS, signal);
  };
  const pages: PageCapacity[] = [];
  for (const { target, path } of pagesOf(experiment)) {
    const within = { deadlineMs: host.clock.monotonicMs() + START_LIMIT_MS, recoveryMs: START_LIMIT_MS };
    const page = { target, path, limitMs: Infinity };
    const silent = await waitForPage(host, { ...inputs, onStep: () => undefined }, page, within);
    if (silent !== null) continue;
    await ask(target, path, WARM_UP);
    const full = await ask(target, path, FULL);
    const { ok } = summarizeRequests(full.samples, "http");
    const alone = summarizeRequests((await ask(target, path, ALONE)).samples, "http");
    if (alone.serviceMs === null || ok === 0) continue;
    const perSecond = Number(((ok * 1000) / full.elapsedMs).toPrecision(3));
    pages.push({ platform: plan.platform, target, path, aloneMs: alone.serviceMs.median, perSecond });
  }
  return pages;
}

/** Every page that any phase floods or probes. */
export function pagesOf({ probes, phases }: Experiment): { target: string; path: string }[] {
  const pages = [
    ...probes.flatMap((probe) => (probe.probe === "http" ? [{ target: probe.target, path: probe.path }] : [])),
    ...Object.values(phases).flatMap(({ floods }) => floods.map(({ on, path }) => ({ target: on, path }))),
  ];
  return [...new Map(pages.map((page) => [`${page.target}${page.path}`, page])).values()];
}

import type { Host } from "../host/host.ts";
import type { LoadClient, LoadJob, LoadResult, RunningLoad } from "../load/load.ts";
import { LabError } from "../model/error.ts";
import type { Experiment, HttpLoad, Probe } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import type { ScheduledTrial } from "../schedule/schedule.ts";
import { annexJob, FLOOD_TIMEOUT_MS, FLOOR_RATE_HZ, floorJob, probeJob } from "./jobs.ts";
import { CLIENT_SLACK_MS, resultWithin } from "./load-deadline.ts";
import { generatorName, recordProbe, type LoadRecord } from "./load-record.ts";
import type { Station } from "./station.ts";

export type MeasureStep = "measuring" | "waiting for the last answers";

export interface MeasureInputs {
  plan: LabPlan;
  experiment: Experiment;
  scheduled: ScheduledTrial;
  station: Station;
  onStep(step: MeasureStep, recentP95Ms: number | null): void;
  signal?: AbortSignal;
}

/** A flood under way. */
export interface RunningFlood {
  flood: HttpLoad;
  running: RunningLoad;
}

/** Ends a phase that lasts as long as its floods, should they never: the study's own took hours. */
export const LONGEST_PHASE_MS = 24 * 3_600_000;
/** A flood that nobody answers for so long loads nothing. */
const SILENCE_LIMIT_MS = 3 * FLOOD_TIMEOUT_MS;
const POLL_MS = 250;

/** Starts every client that `measure` will use: their own start would disturb what is measured. */
export async function readyClients({ experiment, scheduled, station }: MeasureInputs): Promise<void> {
  const others = ["floor", ...(scheduled.annex ? ["annex"] : [])];
  await Promise.all([
    ...experiment.probes.map((probe, i) => clientOf(station, probe, i)),
    ...others.map((name) => station.probe(name)),
  ]);
}

function clientOf(station: Station, { probe }: Probe, index: number): Promise<LoadClient> {
  return probe === "transfer" ? station.transfer(`${index}`) : station.probe(`${index}`);
}

/**
 * First the study's own probe, where the trial has it: it takes what it gets, so beside the others it would be their load. Then probes
 * and floor for the length of the phase, and on until floods with a number of requests are done.
 * @param untilDone those floods
 * @returns what was measured, and how long the study's probe took
 * @throws LabError when a load client breaks, or the signal's reason; loads may then be under way still
 */
export async function measure(
  host: Host,
  inputs: MeasureInputs,
  durationMs: number,
  untilDone: RunningFlood[],
): Promise<{ records: LoadRecord[]; annexMs: number }> {
  const { plan, experiment, scheduled, station, signal } = inputs;
  const lastsAsFloods = untilDone.length > 0;
  // A phase that lasts until a flood is done has no length that is known beforehand.
  const plannedMs = lastsAsFloods ? LONGEST_PHASE_MS : durationMs;
  const knownMs = lastsAsFloods ? null : durationMs;
  const loads: RunningLoad[] = [];
  let victim: RunningLoad | null = null;
  const over = new AbortController();
  let draining = false;

  const run = async (client: Promise<LoadClient>, name: string, job: LoadJob, shown = false): Promise<LoadResult> => {
    const ready = await client;
    over.signal.throwIfAborted();
    const load = ready.start(job);
    loads.push(load);
    if (shown) victim = load;
    return resultWithin(host, name, load, longestMs(job));
  };
  const shownProbe = experiment.probes.find((candidate) => candidate.probe === "http");
  const probes = experiment.probes.map((probe, i) => async () => {
    const job = probeJob(plan, probe, plannedMs);
    const result = await run(clientOf(station, probe, i), generatorName("probe", probe), job, probe === shownProbe);
    return recordProbe("probe", probe, job, result, null, knownMs);
  });
  const floor = async () => {
    const job = floorJob(plan, plannedMs);
    const { path, timeoutMs: timeout } = job;
    const probe: Probe = { probe: "http", target: "outside", path, rate: FLOOR_RATE_HZ, timeout };
    return recordProbe(
      "floor",
      probe,
      job,
      await run(station.probe("floor"), generatorName("floor", probe), job),
      null,
      knownMs,
    );
  };
  const annex = async () => {
    const records: LoadRecord[] = [];
    for (let i = 1; shownProbe !== undefined && scheduled.annex && i <= experiment.annex.runs; i++) {
      const job = annexJob(plan, shownProbe, experiment.annex.requests, experiment.annex.concurrency);
      const result = await run(station.probe("annex"), generatorName("annex", shownProbe), job);
      records.push(recordProbe("annex", shownProbe, job, result, i, null));
    }
    return records;
  };
  const end = async () => {
    await Promise.all([host.clock.sleep(durationMs, over.signal), untilFloodsEnd(host, untilDone, over.signal)]);
    if (lastsAsFloods) loads.forEach((load) => load.stop({ drain: true }));
    draining = true;
  };
  const progress = async () => {
    while (!over.signal.aborted) {
      inputs.onStep(draining ? "waiting for the last answers" : "measuring", victim?.progress().recentP95Ms ?? null);
      await host.clock.sleep(POLL_MS);
    }
  };

  // Every promise has its listener from here on: one that fails while another is waited for ends the trial, not the program.
  const work = async () => {
    const beganMs = host.clock.monotonicMs();
    const annexRecords = await annex();
    const annexMs = host.clock.monotonicMs() - beganMs;
    const [records, floorRecord] = await Promise.all([Promise.all(probes.map((start) => start())), floor(), end()]);
    return { records: [...records, floorRecord, ...annexRecords], annexMs };
  };
  const measured = work();
  try {
    await Promise.race([measured, aborted(signal, over.signal), progress()]);
    return await measured;
  } finally {
    over.abort();
    loads.forEach((load) => load.stop({ drain: false }));
  }
}

/** How long a job may take, its last answer and a slow client included. */
function longestMs({ loop, timeoutMs }: LoadJob): number {
  if (loop.mode === "open") return loop.durationMs + timeoutMs + CLIENT_SLACK_MS;
  const sendingMs = loop.durationMs ?? ((loop.requests ?? 0) / loop.concurrency) * timeoutMs;
  return sendingMs + timeoutMs + CLIENT_SLACK_MS;
}

/** @throws LabError when one of them is never answered, however many requests it still has */
async function untilFloodsEnd(host: Host, floods: RunningFlood[], over: AbortSignal): Promise<void> {
  const done = Promise.all(floods.map(({ running }) => running.result));
  let isDone = false;
  const end = done.then(() => (isDone = true));
  const silentUntilMs = host.clock.monotonicMs() + SILENCE_LIMIT_MS;
  while (!isDone && floods.length > 0) {
    await Promise.race([end, host.clock.sleep(POLL_MS, over)]);
    if (host.clock.monotonicMs() < silentUntilMs) continue;
    for (const { flood, running } of floods) {
      const { finished, failed } = running.progress();
      if (!isDone && finished <= failed)
        throw new LabError(`the flood of ${flood.on} got no answer within ${SILENCE_LIMIT_MS / 1000} s`);
    }
  }
}

/** Rejects with the signal's reason when it comes. */
function aborted(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason as Error);
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true, signal: over });
  });
}

import type { Phase } from "../model/experiment.ts";
import type { Reading } from "../model/result.ts";
import { floorMovement, floorValueMs } from "./floor.ts";
import { probeName, probeValues } from "./probe-value.ts";
import { UNANSWERED_LIMIT } from "./verdict.ts";

/** Share of the machine's CPU time that its hypervisor may take away during a trial. */
const STEAL_LIMIT = 0.01;

/**
 * 95th percentile of how late an open loop may begin its requests. The lateness is part of the latency, so a generator
 * that is late measures itself; it may do so by as much as the floor may move, which sees the same generator.
 */
const SEND_DELAY_LIMIT_MS = 2;

/** Share of the due requests that an open loop must begin: with fewer, the end of the phase was not measured. */
const BEGUN_SHARE = 0.99;

/**
 * Share of a probe's requests that may be cut off at a trial's end. They are the slow ones: leaving out 1 % makes the
 * 95th percentile what is the 94th.
 */
const CUT_OFF_LIMIT = 0.01;

/** Share of its connections that a flood must have had open at one moment. */
const CONCURRENCY_SHARE = 0.9;

/** What a load client did, beyond the figures of its reading. */
export interface GeneratorFacts {
  /** As sentences call it: `the probe of apache1`, `the flood of apache2`. */
  name: string;
  /** Requests that it could not send for want of a port or a descriptor (RequestFigures). */
  noPort: number;
  noDescriptor: number;
  /** Open loop: requests due (rate times duration), requests begun (answered or not), and their lateness. null: closed loop. */
  paced: { due: number; begun: number; sendDelayP95Ms: number } | null;
  /**
   * Closed loop: connections asked for, and the most at one moment (`peakConcurrency`); of one with a number of requests, how long it
   * took, and until when the phase was measured, both from its start. null: open loop.
   */
  closed: { concurrency: number; peak: number; counted: { tookMs: number; wantedMs: number } | null } | null;
}

/** What is known of a trial as soon as it has ended. */
export interface TrialFacts {
  /** Of the reference phase. */
  isReference: boolean;
  /** Only whether everything works is asked. */
  functional: boolean;
  readings: readonly Reading[];
  /** 0 to 1; null where the machine doesn't count it. */
  stealShare: number | null;
  /** What the phase was to do. */
  planned: Pick<Phase, "floods" | "stressors">;
  /** `floorLevelMs` of the trials so far; null: no reference yet, so it is left to `settledReasons`, as a reference's floor is. */
  floorLevelMs: number | null;
  generators: readonly GeneratorFacts[];
  /** Stressors, as sentences call them, that had ended by themselves when the phase did. */
  idleStressors: readonly string[];
  /** Names of the domains whose first process ended during the trial. */
  deadDomains: readonly string[];
}

const percent = (share: number) => `${Number((100 * share).toPrecision(2))} %`;
const seconds = (valueMs: number) => `${Number((valueMs / 1000).toPrecision(3))} s`;
const ms = (value: number) => `${Number(value.toPrecision(3))} ms`;

/** Why a trial is not valid, as far as it can be told without the other blocks; empty: no reason. Sentences for users. */
export function trialReasons(facts: TrialFacts): string[] {
  const { functional } = facts;
  return [
    ...facts.deadDomains.map((name) => `domain ${name} died during the trial`),
    ...(functional ? [] : [...machineReasons(facts), ...facts.generators.flatMap(generatorReasons)]),
    ...answerReasons(facts),
    ...(functional
      ? []
      : [...probeReasons(facts), ...facts.idleStressors.map((name) => `${name} ended before the phase did`)]),
    ...floodReasons(facts),
    ...stressorReasons(facts),
  ];
}

function machineReasons({ isReference, stealShare, readings, floorLevelMs }: TrialFacts): string[] {
  const reasons: string[] = [];
  if (stealShare !== null && stealShare > STEAL_LIMIT) {
    reasons.push(`steal was ${percent(stealShare)} of the CPU time; the limit is ${percent(STEAL_LIMIT)}`);
  }
  const floorMs = floorValueMs(readings);
  if (floorMs === null) reasons.push("the floor (an idle responder outside the platform) was not measured");
  // References make the level: judged by it as they come, a first one that was off would keep out all others.
  else if (floorLevelMs !== null && !isReference) reasons.push(...floorMovement(floorMs, floorLevelMs));
  return reasons;
}

function generatorReasons({ name, noPort, noDescriptor, paced, closed }: GeneratorFacts): string[] {
  const reasons: string[] = [];
  if (noPort > 0) reasons.push(`${name} ran out of ports: ${noPort} requests could not be sent`);
  if (noDescriptor > 0) reasons.push(`${name} ran out of file descriptors: ${noDescriptor} requests could not be sent`);
  if (paced !== null && paced.begun < BEGUN_SHARE * paced.due) {
    reasons.push(
      `${name} began ${paced.begun} of ${Math.round(paced.due)} requests; at least ${percent(BEGUN_SHARE)} are wanted`,
    );
  }
  if (paced !== null && paced.sendDelayP95Ms > SEND_DELAY_LIMIT_MS) {
    reasons.push(
      `${name} missed its send times: the 95th percentile was ${ms(paced.sendDelayP95Ms)} late; the limit is ${ms(SEND_DELAY_LIMIT_MS)}`,
    );
  }
  if (closed !== null && closed.peak < CONCURRENCY_SHARE * closed.concurrency) {
    reasons.push(
      `${name} had at most ${closed.peak} of ${closed.concurrency} connections at a time; at least ${percent(CONCURRENCY_SHARE)} are wanted`,
    );
  }
  const counted = closed?.counted ?? null;
  if (counted !== null && counted.tookMs < counted.wantedMs) {
    reasons.push(
      `${name} was done after ${seconds(counted.tookMs)} of the ${seconds(counted.wantedMs)} that were measured, and nothing loaded the rest: it needs more requests, or the phase a shorter duration`,
    );
  }
  return reasons;
}

function answerReasons({ isReference, readings }: TrialFacts): string[] {
  const values = probeValues(readings);
  if (values.length === 0) return ["no probe has a reading"];
  return values
    .filter(({ unanswered, requests }) => isReference && unanswered === requests)
    .map((value) => `the reference answered nothing: ${probeName(value)}, ${value.requests} requests`);
}

function probeReasons({ isReference, readings }: TrialFacts): string[] {
  const reasons: string[] = [];
  for (const value of probeValues(readings)) {
    const { unanswered, requests } = value;
    if (!isReference || Number.isFinite(value.valueMs) || unanswered === requests) continue;
    reasons.push(
      `${percent(unanswered / requests)} of the reference's requests went unanswered (${probeName(value)}); the limit is ${percent(UNANSWERED_LIMIT)}`,
    );
  }
  for (const reading of readings) {
    if (reading.metric !== "http" || reading.role !== "probe" || reading.cutOff === 0) continue;
    const share = reading.cutOff / (reading.requests + reading.cutOff);
    if (share <= CUT_OFF_LIMIT) continue;
    reasons.push(
      `${percent(share)} of the probe's requests to ${reading.target} were cut off, and how slow they were is not known; the limit is ${percent(CUT_OFF_LIMIT)}`,
    );
  }
  return reasons;
}

function floodReasons({ planned, readings }: TrialFacts): string[] {
  const floods = readings.filter((reading) => reading.metric === "flood");
  return planned.floods.flatMap(({ on }) => {
    const ofTarget = floods.filter((reading) => reading.target === on);
    if (ofTarget.length === 0) return [`the flood of ${on} has no reading`];
    return ofTarget
      .filter((reading) => reading.ok === 0)
      .map(({ requests }) =>
        requests === 0
          ? `the phase ended before any request of the flood of ${on} was answered, so that nothing shows that it loaded anything`
          : `the flood of ${on} got no answer to ${requests} requests, so it loaded nothing`,
      );
  });
}

function stressorReasons({ planned, readings }: TrialFacts): string[] {
  const stress = readings.filter((reading) => reading.metric === "stress");
  return planned.stressors.flatMap(({ stressor, on }) =>
    on.flatMap((domain) => {
      const reading = stress.find((candidate) => candidate.stressor === stressor && candidate.on === domain);
      if (reading === undefined) return [`the ${stressor} stressor on ${domain} has no reading`];
      return reading.work > 0
        ? []
        : [`the ${stressor} stressor on ${domain} did nothing: ${reading.work} ${reading.unit}`];
    }),
  );
}

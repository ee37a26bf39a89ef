import { expect, test } from "vitest";
import type { Reading } from "../model/result.ts";
import { type GeneratorFacts, type TrialFacts, trialReasons } from "./trial-validity.ts";

type HttpReading = Extract<Reading, { metric: "http" }>;
type FloodReading = Extract<Reading, { metric: "flood" }>;
type StressReading = Extract<Reading, { metric: "stress" }>;

const requests = {
  engine: "epoll" as const,
  requests: 400,
  concurrency: null,
  rateHz: null,
  path: "/index.html",
  ok: 400,
  failed: 0,
  timeouts: 0,
  cutOff: 0,
  ms: null,
  p95WithFailures: 4,
  outliers: 0,
};
const http = (more: Partial<HttpReading> = {}): HttpReading => ({
  ...requests,
  metric: "http",
  role: "probe",
  target: "apache1",
  mode: "open",
  run: null,
  serviceMs: null,
  sendDelayP95Ms: 0.1,
  ...more,
});
const floor = (p95WithFailures: number | null) => http({ role: "floor", target: "outside", p95WithFailures });
const flood = (more: Partial<FloodReading> = {}): FloodReading => ({
  ...requests,
  metric: "flood",
  role: "load",
  target: "apache2",
  mode: "closed",
  perSecond: 500,
  clientCpuShare: 0.1,
  ...more,
});
const stress = (more: Partial<StressReading> = {}): StressReading => ({
  metric: "stress",
  role: "load",
  stressor: "cpu",
  on: "linux1",
  instances: 4,
  work: 1e6,
  unit: "loops",
  oomKills: 0,
  tool: "stress-ng",
  ...more,
});

const generator: GeneratorFacts = {
  name: "the probe of apache1",
  noPort: 0,
  noDescriptor: 0,
  paced: null,
  closed: null,
};
const idle = { floods: [], stressors: [] };
const floods = { floods: [{ on: "apache2", path: "/compute.php", concurrency: 100, keepAlive: false }], stressors: [] };
const stressors = {
  floods: [],
  stressors: [{ stressor: "cpu" as const, on: ["linux1", "linux2"], instances: 4, direct: false }],
};

const reasons = (more: Partial<TrialFacts>) =>
  trialReasons({
    isReference: false,
    functional: false,
    readings: [http(), floor(0.5)],
    stealShare: 0.001,
    planned: idle,
    floorLevelMs: 0.5,
    generators: [{ ...generator, paced: { due: 400, begun: 400, sendDelayP95Ms: 0.1 } }],
    idleStressors: [],
    deadDomains: [],
    ...more,
  });

test("a trial in which all did their work has no reason", () => {
  expect(reasons({})).toEqual([]);
  expect(reasons({ isReference: true, stealShare: null, floorLevelMs: null })).toEqual([]);
  expect(reasons({ planned: floods, readings: [http(), floor(0.5), flood()] })).toEqual([]);
  expect(reasons({ planned: stressors, readings: [http(), floor(0.5), stress(), stress({ on: "linux2" })] })).toEqual(
    [],
  );
});

test("a functional one is asked for work, not for pace", () => {
  const late = { ...generator, paced: { due: 400, begun: 40, sendDelayP95Ms: 900 } };
  const slow = { functional: true, stealShare: 0.5, generators: [late], readings: [http({ cutOff: 200 }), floor(90)] };
  expect(reasons(slow)).toEqual([]);
  expect(reasons({ ...slow, functional: false }).length).toBeGreaterThanOrEqual(4);
  expect(reasons({ ...slow, readings: [] })).toEqual(["no probe has a reading"]);
  expect(reasons({ ...slow, planned: floods })).toEqual(["the flood of apache2 has no reading"]);
  expect(reasons({ ...slow, deadDomains: ["linux1"] })).toEqual(["domain linux1 died during the trial"]);
  const silent = http({ ok: 0, failed: 400, p95WithFailures: null });
  expect(reasons({ ...slow, isReference: true, readings: [silent] })).toEqual([
    expect.stringContaining("the reference answered nothing"),
  ]);
});

test("steal", () => {
  expect(reasons({ stealShare: 0.01 })).toEqual([]);
  expect(reasons({ stealShare: 0.023 })).toEqual(["steal was 2.3 % of the CPU time; the limit is 1 %"]);
});

test("the floor", () => {
  expect(reasons({ readings: [http(), floor(2.49)] })).toEqual([]);
  expect(reasons({ readings: [http(), floor(2.5)] })).toEqual([
    "the floor moved: its p95 was 2.5 ms, in the references 0.5 ms; the limit is 2 ms apart",
  ]);
  expect(reasons({ readings: [http(), floor(0.5)], floorLevelMs: 3 })).toHaveLength(1);
  expect(reasons({ readings: [http(), floor(null)] })).toEqual([
    "the floor moved: its p95 is infinite (over 5 % went unanswered), in the references 0.5 ms; the limit is 2 ms apart",
  ]);
  expect(reasons({ readings: [http(), floor(9)], floorLevelMs: null })).toEqual([]);
  expect(reasons({ isReference: true, readings: [http(), floor(9)] })).toEqual([]);
  expect(reasons({ readings: [http()] })).toEqual([
    "the floor (an idle responder outside the platform) was not measured",
  ]);
});

test("the generator", () => {
  const of = (more: Partial<GeneratorFacts>) => reasons({ generators: [{ ...generator, ...more }] });
  expect(of({ noPort: 3 })).toEqual(["the probe of apache1 ran out of ports: 3 requests could not be sent"]);
  expect(of({ noDescriptor: 2 })).toEqual([
    "the probe of apache1 ran out of file descriptors: 2 requests could not be sent",
  ]);
  expect(of({ paced: { due: 400, begun: 396, sendDelayP95Ms: 2 } })).toEqual([]);
  expect(of({ paced: { due: 400, begun: 395, sendDelayP95Ms: 0 } })).toEqual([
    "the probe of apache1 began 395 of 400 requests; at least 99 % are wanted",
  ]);
  expect(of({ paced: { due: 400, begun: 400, sendDelayP95Ms: 7.1234 } })).toEqual([
    "the probe of apache1 missed its send times: the 95th percentile was 7.12 ms late; the limit is 2 ms",
  ]);
  expect(of({ closed: { concurrency: 1000, peak: 900, counted: null } })).toEqual([]);
  expect(of({ closed: { concurrency: 1000, peak: 899, counted: null } })).toEqual([
    "the probe of apache1 had at most 899 of 1000 connections at a time; at least 90 % are wanted",
  ]);
});

test("a flood with a number of requests that is done before the phase is", () => {
  const done = (tookMs: number) =>
    reasons({
      generators: [{ ...generator, closed: { concurrency: 10, peak: 10, counted: { tookMs, wantedMs: 5000 } } }],
    });
  expect(done(5000)).toEqual([]);
  expect(done(1234)).toEqual([
    "the probe of apache1 was done after 1.23 s of the 5 s that were measured, and nothing loaded the rest: it needs more requests, or the phase a shorter duration",
  ]);
});

test("a flood that did no work", () => {
  expect(reasons({ planned: floods })).toEqual(["the flood of apache2 has no reading"]);
  expect(reasons({ planned: floods, readings: [http(), floor(0.5), flood({ ok: 0, failed: 400 })] })).toEqual([
    "the flood of apache2 got no answer to 400 requests, so it loaded nothing",
  ]);
  expect(reasons({ planned: floods, readings: [http(), floor(0.5), flood({ requests: 0, ok: 0 })] })).toEqual([
    "the phase ended before any request of the flood of apache2 was answered, so that nothing shows that it loaded anything",
  ]);
});

test("a stressor that ended by itself", () => {
  const idleStressors = ["the disk stressor on linux1"];
  expect(reasons({ idleStressors })).toEqual(["the disk stressor on linux1 ended before the phase did"]);
  expect(reasons({ idleStressors, functional: true })).toEqual([]);
});

test("a stressor that did nothing, in any of its domains", () => {
  expect(reasons({ planned: stressors, readings: [http(), floor(0.5), stress({ work: 0 })] })).toEqual([
    "the cpu stressor on linux1 did nothing: 0 loops",
    "the cpu stressor on linux2 has no reading",
  ]);
});

test("a domain that died", () => {
  expect(reasons({ deadDomains: ["apache1"] })).toEqual(["domain apache1 died during the trial"]);
});

test("a reference that does not answer is none; under a load that is a result", () => {
  const silent = http({ ok: 0, timeouts: 400, p95WithFailures: null });
  const partly = http({ ok: 350, failed: 50, p95WithFailures: null });
  expect(reasons({ readings: [silent, floor(0.5)] })).toEqual([]);
  expect(reasons({ isReference: true, readings: [silent, floor(0.5)] })).toEqual([
    "the reference answered nothing: http p95 of apache1, 400 requests",
  ]);
  expect(reasons({ isReference: true, readings: [partly, floor(0.5)] })).toEqual([
    "13 % of the reference's requests went unanswered (http p95 of apache1); the limit is 5 %",
  ]);
});

test("a probe whose slow requests were cut off, or that measured nothing", () => {
  expect(reasons({ readings: [http({ cutOff: 4 }), floor(0.5)] })).toEqual([]);
  expect(reasons({ readings: [http({ cutOff: 100 }), floor(0.5)] })).toEqual([
    "20 % of the probe's requests to apache1 were cut off, and how slow they were is not known; the limit is 1 %",
  ]);
  expect(reasons({ readings: [http({ requests: 0, ok: 0, cutOff: 400, p95WithFailures: null }), floor(0.5)] })).toEqual(
    [
      "no probe has a reading",
      "100 % of the probe's requests to apache1 were cut off, and how slow they were is not known; the limit is 1 %",
    ],
  );
});

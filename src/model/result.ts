import * as z from "zod";
import { STRESSOR_KINDS } from "./experiment.ts";
import { PLATFORM_NAMES } from "./platform-name.ts";

const msFigures = z.strictObject({
  min: z.number(),
  mean: z.number(),
  sd: z.number().nullable(),
  median: z.number(),
  p95: z.number(),
  p99: z.number().nullable().describe("only from 300 samples on"),
  max: z.number(),
});

const httpFields = {
  target: z.string(),
  engine: z.enum(["epoll", "node"]),
  mode: z.enum(["open", "closed"]),
  requests: z.int(),
  concurrency: z.int().nullable(),
  rateHz: z.number().nullable(),
  path: z.string(),
  ok: z.int(),
  failed: z.int().describe("answered wrongly, refused, reset, short, malformed"),
  timeouts: z.int(),
  cutOff: z.int().describe("under way when the phase ended; counted in nothing else"),
  ms: msFigures.nullable().describe("of the requests that were answered well"),
  /** 95th percentile with failures and timeouts as infinitely slow; null stands for infinity. */
  p95WithFailures: z.number().nullable(),
  outliers: z.int().describe("answers beyond the stated rule; shown, never dropped"),
};

export const readingSchema = z.discriminatedUnion("metric", [
  z.strictObject({
    metric: z.literal("http"),
    role: z.enum(["probe", "annex", "floor"]),
    run: z.int().nullable(),
    serviceMs: msFigures.nullable(),
    sendDelayP95Ms: z.number().nullable(),
    ...httpFields,
  }),
  z.strictObject({
    metric: z.literal("flood"),
    role: z.literal("load"),
    perSecond: z.number(),
    clientCpuShare: z.number(),
    ...httpFields,
  }),
  z.strictObject({
    metric: z.literal("ping"),
    role: z.enum(["probe", "floor"]),
    target: z.string(),
    engine: z.enum(["epoll", "node"]),
    sent: z.int(),
    lost: z.int(),
    ms: msFigures.nullable(),
    p95WithFailures: z.number().nullable(),
  }),
  z.strictObject({
    metric: z.literal("connect"),
    role: z.enum(["probe", "floor"]),
    target: z.string(),
    engine: z.enum(["epoll", "node"]),
    requests: z.int(),
    ok: z.int(),
    failed: z.int(),
    timeouts: z.int(),
    ms: msFigures.nullable(),
    p95WithFailures: z.number().nullable(),
  }),
  z.strictObject({
    metric: z.literal("transfer"),
    role: z.literal("probe"),
    target: z.string(),
    engine: z.enum(["epoll", "node"]),
    bytes: z.int(),
    ok: z.boolean(),
    error: z.string().nullable(),
    totalMs: z.number().nullable(),
    mibPerSecond: z.number().nullable(),
  }),
  z.strictObject({
    metric: z.literal("stress"),
    role: z.literal("load"),
    stressor: z.enum(STRESSOR_KINDS),
    on: z.string(),
    instances: z.int(),
    work: z.number().describe("what it really did, in `unit`"),
    unit: z.string(),
    oomKills: z.int().nullable(),
    tool: z.string(),
  }),
]);
export type Reading = z.output<typeof readingSchema>;

const domainUsageSchema = z.strictObject({
  cpuNs: z.number().nullable(),
  memoryPeakBytes: z.number().nullable().describe("since the domain was made"),
  oomKills: z.int().nullable(),
  pidsPeak: z.int().nullable().describe("since the domain was made"),
  nrPeriods: z.int().nullable(),
  nrThrottled: z.int().nullable(),
  throttledNs: z.number().nullable(),
});

export const trialSchema = z.strictObject({
  id: z.string().describe("<block>-<platform>-<phase>-<attempt>; names the samples file"),
  block: z.int(),
  platform: z.enum(PLATFORM_NAMES),
  phase: z.string(),
  attempt: z.int(),
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  valid: z.boolean(),
  reasons: z.array(z.string()).describe("why it is not valid"),
  stealShare: z.number().nullable(),
  usage: z.record(z.string(), domainUsageSchema).describe("per context, during the trial"),
  readings: z.array(readingSchema),
});
export type Trial = z.output<typeof trialSchema>;

export const VERDICTS = [
  "did-not-return",
  "unacceptable",
  "abnormal",
  "unaffected",
  "degraded",
  "inconclusive",
  "reference",
] as const;
export const comparisonSchema = z.strictObject({
  kind: z.enum(["phase", "platform"]).describe("a phase against its reference, or a platform against another"),
  platform: z.enum(PLATFORM_NAMES),
  against: z.string().describe("the reference phase, or the other platform"),
  phase: z.string(),
  target: z.string(),
  metric: z.string().describe("http p95, ping p95, …"),
  unit: z.string(),
  n: z.int().describe("blocks"),
  reference: z.number().nullable(),
  estimate: z.number().nullable().describe("null: infinite"),
  low: z.number().nullable().describe("null under 5 blocks"),
  high: z.number().nullable(),
  ratio: z.strictObject({ estimate: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() }),
  unanswered: z.number().describe("share of requests without an answer"),
  confidence: z.number().nullable(),
  method: z.string(),
  indicative: z.boolean(),
  verdict: z.enum(VERDICTS),
});
export type Comparison = z.output<typeof comparisonSchema>;

export const environmentSchema = z.strictObject({
  cloison: z.string(),
  node: z.string(),
  kernel: z.string(),
  distribution: z.string(),
  cpu: z.string(),
  cpus: z.int(),
  memoryBytes: z.number(),
  cgroupVersion: z.int(),
  tools: z.record(z.string(), z.string()).describe("program → version"),
  placement: z.strictObject({
    platform: z.array(z.int()),
    station: z.array(z.int()),
    probe: z.array(z.int()),
    caveats: z.array(z.string()),
  }),
  images: z.record(z.string(), z.strictObject({ key: z.string(), packages: z.record(z.string(), z.string()) })),
  limits: z.record(z.string(), z.record(z.string(), z.unknown())).describe("<platform>/<context> → limits in force"),
  variants: z.record(z.string(), z.string()).describe("platform → what runs its domains here: kvm, tcg"),
  workers: z.record(z.string(), z.int()).describe("<platform>/<context> → Apache processes, at most"),
});
export type Environment = z.output<typeof environmentSchema>;

const pageCapacitySchema = z.strictObject({
  platform: z.enum(PLATFORM_NAMES),
  target: z.string(),
  path: z.string(),
  aloneMs: z.number().describe("the median of requests, one at a time without a pause"),
  perSecond: z.number().describe("answered on 5 connections at a time"),
});
export type PageCapacity = z.output<typeof pageCapacitySchema>;

export const calibrationSchema = z.strictObject({
  scale: z
    .number()
    .describe("share of the planned load that was sent: probes' requests a second, floods' numbers of requests"),
  limitedBy: pageCapacitySchema.nullable().describe("whose page is probed and answers so little; null: the scale is 1"),
  pages: z.array(pageCapacitySchema).describe("what domains can answer when nothing else is asked of their platform"),
});
export type Calibration = z.output<typeof calibrationSchema>;

/** `result.json`. */
export const resultSchema = z.strictObject({
  schema: z.literal("cloison.result/1"),
  name: z.string(),
  seed: z.int(),
  complete: z.boolean().describe("every trial that was planned has been run"),
  valid: z.boolean(),
  reasons: z.array(z.string()),
  indicative: z.boolean().describe("fewer than 5 blocks"),
  functional: z.boolean().describe("it shows whether everything works; no figure of it is a measurement"),
  thresholds: z.strictObject({ abnormalMs: z.number(), unacceptableMs: z.number() }),
  environment: environmentSchema,
  calibration: calibrationSchema.nullable().describe("null: no trial was begun"),
  trials: z.array(trialSchema),
  comparisons: z.array(comparisonSchema),
});
export type Result = z.output<typeof resultSchema>;

import * as z from "zod";
import { platformNameSchema } from "./lab.ts";
import { nameSchema } from "./name.ts";
import { durationMs } from "./units.ts";

const path = z.string().regex(/^\/[\x21-\x7e]*$/, "is not the path of a page: write it as /index.html");

/** A load of HTTP requests on one domain. Closed loop with `concurrency`, open loop with `rate`. */
export const httpLoadSchema = z.strictObject({
  on: nameSchema.describe("the domain whose first site is flooded"),
  path: path.default("/compute.php"),
  concurrency: z.int().min(1).max(15000).describe("connections at a time"),
  requests: z.int().min(1).optional().describe("ends after so many; default: lasts as long as the phase"),
  keepAlive: z.boolean().default(false),
});
export type HttpLoad = z.output<typeof httpLoadSchema>;

export const STRESSOR_KINDS = ["cpu", "memory", "fork", "disk", "net-transmit", "net-receive"] as const;
export const stressorKindSchema = z.enum(STRESSOR_KINDS);
export type StressorKind = z.output<typeof stressorKindSchema>;

export const stressorLoadSchema = z.strictObject({
  stressor: stressorKindSchema,
  on: z.array(nameSchema).min(1),
  instances: z.int().min(1).max(64).default(1).describe("loops, processes or threads of its kind"),
  direct: z.boolean().default(false).describe("disk: past the page cache"),
});
export type StressorLoad = z.output<typeof stressorLoadSchema>;

export const phaseSchema = z.strictObject({
  duration: durationMs.optional().describe("default: the experiment's"),
  floods: z.array(httpLoadSchema).default([]),
  stressors: z.array(stressorLoadSchema).default([]),
});
export type Phase = z.output<typeof phaseSchema>;

/** The probe that every verdict rests on: open loop, latency counted from the moment a request was due. */
const httpProbeSchema = z.strictObject({
  probe: z.literal("http"),
  target: nameSchema,
  path: path.default("/index.html"),
  rate: z.number().positive().max(5000).default(100).describe("requests a second"),
  timeout: durationMs.default(10_000),
});
const pingProbeSchema = z.strictObject({
  probe: z.literal("ping"),
  target: nameSchema,
  rate: z.number().positive().max(100).default(10).describe("echo requests a second"),
  timeout: durationMs.default(2_000),
});
const connectProbeSchema = z.strictObject({
  probe: z.literal("connect"),
  target: nameSchema,
  port: z.int().min(1).max(65535).default(80),
  rate: z.number().positive().max(1000).default(10),
  timeout: durationMs.default(10_000),
});
const transferProbeSchema = z.strictObject({
  probe: z.literal("transfer"),
  target: nameSchema,
  path: path.default("/large.bin"),
  timeout: durationMs.default(30_000),
});
export const probeSchema = z.discriminatedUnion("probe", [
  httpProbeSchema,
  pingProbeSchema,
  connectProbeSchema,
  transferProbeSchema,
]);
export type Probe = z.output<typeof probeSchema>;
export type HttpProbe = z.output<typeof httpProbeSchema>;

/** The study's own probe: a few requests, a few at a time; feeds the annex-like table only. */
const annexSchema = z.strictObject({
  blocks: z.int().min(0).default(3).describe("blocks in which it runs"),
  requests: z.int().min(1).default(50),
  concurrency: z.int().min(1).default(5),
  runs: z.int().min(1).default(1).describe("runs in each phase of such a block"),
});

export const experimentSchema = z.strictObject({
  $schema: z.string().optional(),
  name: nameSchema,
  lab: z.string().min(1).describe("path of the lab file, from this file's folder"),
  platforms: z.array(platformNameSchema).min(1),
  seed: z.int().min(0).optional().describe("of the order of trials; default: drawn, and recorded"),
  blocks: z.int().min(1).max(1000).default(5),
  duration: durationMs.default(4000).describe("of a phase"),
  settle: durationMs.default(1000).describe("from the start of the loads to the first reading"),
  probes: z.array(probeSchema).min(1),
  annex: annexSchema.prefault({}),
  functional: z
    .boolean()
    .default(false)
    .describe("only whether everything works is asked, as on an emulated machine: no figure is a measurement"),
  reference: nameSchema.default("reference").describe("the phase that the others are compared with"),
  phases: z.record(nameSchema, phaseSchema),
  thresholds: z
    .strictObject({
      abnormal: durationMs.default(100).describe("slower is abnormally slow"),
      unacceptable: durationMs.default(1000),
    })
    .prefault({}),
});
export type Experiment = z.output<typeof experimentSchema>;

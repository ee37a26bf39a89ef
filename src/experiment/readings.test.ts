import { expect, test } from "vitest";
import type { HttpJob, LoadJob, LoadResult } from "../load/load.ts";
import { httpLoadSchema, probeSchema } from "../model/experiment.ts";
import { readingSchema } from "../model/result.ts";
import { ERROR_KINDS, type ErrorKind, type Samples } from "../model/samples.ts";
import { samplesOf } from "./fixture.ts";
import { recordLoad, recordProbe } from "./load-record.ts";

const errors = (...kinds: ErrorKind[]) => ({ error: Uint8Array.from(kinds, (kind) => ERROR_KINDS.indexOf(kind)) });
const result = (samples: Samples, changes: Partial<LoadResult> = {}): LoadResult => ({
  engine: "epoll",
  samples,
  startedAtMs: 0,
  elapsedMs: 2000,
  clientCpuNs: 5e8,
  sendDelayMs: null,
  ...changes,
});
const page = {
  kind: "http",
  address: "10.0.0.11",
  port: 80,
  host: "a",
  path: "/",
  keepAlive: false,
  timeoutMs: 1000,
} as const;
const open: HttpJob = { ...page, loop: { mode: "open", rateHz: 2, durationMs: 2000 } };
const closed: HttpJob = { ...page, loop: { mode: "closed", concurrency: 2, requests: null, durationMs: 2000 } };
const probe = (value: object) => probeSchema.parse({ target: "apache1", ...value });
const http = probe({ probe: "http" });

test("an http reading counts every row once", () => {
  const samples = samplesOf([1, 2, 3, 4, 5], errors("none", "timeout", "reset", "none", "cut-off"));
  samples.status[3] = 500;
  const record = recordProbe("probe", http, open, result(samples, { sendDelayMs: { p95: 0.5, max: 1 } }), null, 2000);
  expect(record.name).toBe("probe:apache1");
  expect(readingSchema.parse(record.reading)).toMatchObject({
    requests: 4,
    ok: 1,
    failed: 2,
    timeouts: 1,
    cutOff: 1,
    p95WithFailures: null,
    rateHz: 2,
    concurrency: null,
    sendDelayP95Ms: 0.5,
  });
  expect(record.generator).toEqual({
    name: "the probe of apache1",
    noPort: 0,
    noDescriptor: 0,
    paced: { due: 4, begun: 5, sendDelayP95Ms: 0.5 },
    closed: null,
  });
});

test("an open loop that lasts as long as a flood owes what it has begun", () => {
  const record = recordProbe("probe", http, open, result(samplesOf([1, 2, 3])), null, null);
  expect(record.generator.paced).toMatchObject({ due: 3, begun: 3 });
});

test("readings of one trial have names of their own", () => {
  const name = (role: "probe" | "floor" | "annex", value: object, run: number | null) =>
    recordProbe(role, probe(value), open, result(samplesOf([1])), run, null).name;
  expect(name("probe", { probe: "ping" }, null)).toBe("ping:apache1");
  expect(name("annex", { probe: "http" }, 2)).toBe("annex:apache1:2");
  expect(name("floor", { probe: "http", target: "outside" }, null)).toBe("floor:outside");
});

test("a flood's rate is of good answers, over the time it took; its share is of one CPU", () => {
  const flood = httpLoadSchema.parse({ on: "apache2", concurrency: 2 });
  const record = recordLoad(
    flood,
    closed,
    result(samplesOf([15, 15, 15, 15], errors("none", "none", "refused", "cut-off"))),
    5000,
  );
  expect(readingSchema.parse(record.reading)).toMatchObject({
    perSecond: 1,
    clientCpuShare: 0.25,
    requests: 3,
    ok: 2,
    failed: 1,
  });
  expect(record.generator.closed).toEqual({ concurrency: 2, peak: 2, counted: null });
  const counted = recordLoad({ ...flood, requests: 4 }, closed, result(samplesOf([15, 15, 15, 15])), 5000);
  expect(counted.generator.closed?.counted).toEqual({ tookMs: 2000, wantedMs: 5000 });
});

test("that a ping was sent late is no reason against it: it counts from when it was sent", () => {
  const sendDelayMs = { p95: 9, max: 12 };
  const ping = { kind: "ping", address: "a", timeoutMs: 1000, loop: open.loop } as LoadJob;
  const late = (value: object, job: LoadJob) =>
    recordProbe("probe", probe(value), job, result(samplesOf([1]), { sendDelayMs }), null, null).generator.paced;
  expect(late({ probe: "ping" }, ping)).toMatchObject({ sendDelayP95Ms: 0 });
  expect(late({ probe: "http" }, open)).toMatchObject({ sendDelayP95Ms: 9 });
});

test("ping and connect tell what was lost", () => {
  const samples = samplesOf([2, 4, 6], errors("none", "timeout", "unreachable"));
  const ping = recordProbe(
    "probe",
    probe({ probe: "ping" }),
    { kind: "ping", address: "a", timeoutMs: 1000, loop: { mode: "open", rateHz: 2, durationMs: 1500 } },
    result(samples),
    null,
    1500,
  );
  expect(readingSchema.parse(ping.reading)).toMatchObject({
    sent: 3,
    lost: 2,
    ms: { median: 2 },
    p95WithFailures: null,
  });
  const connect = recordProbe(
    "probe",
    probe({ probe: "connect" }),
    { kind: "connect", address: "a", port: 80, timeoutMs: 1000, loop: { mode: "open", rateHz: 2, durationMs: 1500 } },
    result(samples),
    null,
    1500,
  );
  expect(readingSchema.parse(connect.reading)).toMatchObject({
    requests: 3,
    ok: 1,
    failed: 1,
    timeouts: 1,
    ms: { median: 1 },
  });
});

const transfer = (samples: Samples) =>
  readingSchema.parse(
    recordProbe(
      "probe",
      probe({ probe: "transfer" }),
      { ...closed, loop: { mode: "closed", concurrency: 1, requests: 1, durationMs: null } },
      result(samples),
      null,
      2000,
    ).reading,
  );

test("a transfer has its rate, or the reason why there is none", () => {
  expect(transfer(samplesOf([500], { bytes: Float64Array.of(64 * 2 ** 20) }))).toMatchObject({
    ok: true,
    error: null,
    totalMs: 500,
    mibPerSecond: 128,
  });
  expect(transfer(samplesOf([500], errors("short")))).toMatchObject({ ok: false, error: "short", mibPerSecond: null });
  expect(transfer(samplesOf([500], { status: Uint16Array.of(404) }))).toMatchObject({ ok: false, error: "status 404" });
  expect(transfer(samplesOf([]))).toMatchObject({ ok: false, error: "nothing was sent", mibPerSecond: null });
});

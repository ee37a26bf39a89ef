import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_KINDS, type ErrorKind, type Samples } from "../model/samples.ts";
import { peakConcurrency, summarizeRequests } from "./requests.ts";

interface Row {
  intendedMs?: number;
  startMs?: number;
  connectMs?: number;
  totalMs?: number;
  status?: number;
  error?: ErrorKind;
}

const NS = 1e6;
const column = (rows: Row[], value: (row: Row) => number) => Float64Array.from(rows, value);
const timeNs = (timeMs: number | undefined) => (timeMs === undefined ? -1 : timeMs * NS);

function samplesOf(rows: Row[]): Samples {
  return {
    intendedNs: column(rows, (row) => (row.intendedMs ?? row.startMs ?? 0) * NS),
    startNs: column(rows, (row) => (row.startMs ?? row.intendedMs ?? 0) * NS),
    connectNs: column(rows, (row) => timeNs(row.connectMs)),
    firstByteNs: column(rows, (row) => timeNs(row.totalMs)),
    totalNs: column(rows, (row) => timeNs(row.totalMs)),
    status: Uint16Array.from(rows, (row) => row.status ?? 200),
    bytes: column(rows, () => 0),
    error: Uint8Array.from(rows, (row) => ERROR_KINDS.indexOf(row.error ?? "none")),
  };
}

const repeat = (count: number, row: Row): Row[] => Array.from({ length: count }, () => row);

test("latency counts from the moment a request was due, service time from its sending", () => {
  const figures = summarizeRequests(samplesOf([{ intendedMs: 10, startMs: 13, totalMs: 4 }]), "http");
  expect(figures.ms?.mean).toBe(7);
  expect(figures.serviceMs?.mean).toBe(4);
});

test("ping's figure is the round trip, connect's the handshake; a status means nothing to them", () => {
  const samples = samplesOf([{ intendedMs: 10, startMs: 13, connectMs: 2, totalMs: 4, status: 0 }]);
  expect(summarizeRequests(samples, "ping")).toMatchObject({ ok: 1, ms: { mean: 4 }, serviceMs: null });
  expect(summarizeRequests(samples, "connect")).toMatchObject({ ok: 1, ms: { mean: 2 }, serviceMs: null });
});

test("only 2xx is ok, timeouts are told from failures, what was cut off counts in nothing", () => {
  const rows: Row[] = [
    { totalMs: 4 },
    { totalMs: 6, status: 204 },
    { totalMs: 1, status: 503 },
    { totalMs: 1, status: 301 },
    { error: "reset" },
    { error: "timeout" },
    { error: "timeout" },
    { error: "no-port" },
    { error: "no-descriptor" },
    { error: "cut-off" },
  ];
  expect(summarizeRequests(samplesOf(rows), "http")).toMatchObject({
    requests: 9,
    ok: 2,
    failed: 5,
    timeouts: 2,
    cutOff: 1,
    noPort: 1,
    noDescriptor: 1,
    ms: { min: 4, max: 6 },
    p95WithFailures: null,
  });
});

test("failures are infinitely slow in p95WithFailures, and absent from ms", () => {
  const answers = Array.from({ length: 96 }, (_, i) => ({ totalMs: i + 1 }));
  const figures = summarizeRequests(samplesOf([...answers, ...repeat(4, { error: "timeout" })]), "http");
  // python3 -c "import numpy as np; print(np.quantile(list(range(1,97))+[1e9]*4, .95), np.quantile(range(1,97), .95))"
  expect(figures.p95WithFailures).toBeCloseTo(95.05, 9);
  expect(figures.ms?.p95).toBeCloseTo(91.25, 9);
  expect(
    summarizeRequests(samplesOf([...answers, ...repeat(6, { error: "refused" })]), "http").p95WithFailures,
  ).toBeNull();
});

test("a reading of nothing has no figures", () => {
  const none = { requests: 0, ok: 0, failed: 0, timeouts: 0, ms: null, p95WithFailures: null, outliers: 0 };
  expect(summarizeRequests(samplesOf([]), "http")).toMatchObject({ ...none, cutOff: 0 });
  expect(summarizeRequests(samplesOf(repeat(3, { error: "cut-off" })), "http")).toMatchObject({ ...none, cutOff: 3 });
});

test("every row is counted once", () => {
  const row = fc.record({
    totalMs: fc.nat(5000),
    status: fc.constantFrom(200, 404, 500),
    error: fc.constantFrom(...ERROR_KINDS),
  });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const figures = summarizeRequests(samplesOf(rows), "http");
      expect(figures.ok + figures.failed + figures.timeouts).toBe(figures.requests);
      expect(figures.requests + figures.cutOff).toBe(rows.length);
      expect(figures.p95WithFailures).not.toBeNaN();
      if (figures.requests - figures.ok > 0.05 * figures.requests) expect(figures.p95WithFailures).toBeNull();
    }),
  );
});

test("an error that the model doesn't name is a bug", () => {
  const samples = samplesOf([{ totalMs: 1 }]);
  samples.error[0] = 200;
  expect(() => summarizeRequests(samples, "http")).toThrow(RangeError);
});

test("peak concurrency counts what is under way at one moment", () => {
  const rows: Row[] = [
    { startMs: 0, totalMs: 10 },
    { startMs: 5, totalMs: 10 },
    { startMs: 10, totalMs: 10 },
    { startMs: 12, error: "cut-off" },
    { startMs: 12, error: "refused" },
    { startMs: 30, totalMs: 1 },
  ];
  // At 12 ms: the second, the third and the one that is cut off; the first had ended as the third began.
  expect(peakConcurrency(samplesOf(rows), 1000)).toBe(3);
  expect(peakConcurrency(samplesOf([]), 1000)).toBe(0);
});

test("a request that times out is under way for its timeout", () => {
  const rows: Row[] = [
    { startMs: 0, error: "timeout" },
    { startMs: 50, totalMs: 1 },
    { startMs: 100, totalMs: 1 },
  ];
  expect(peakConcurrency(samplesOf(rows), 60)).toBe(2);
  expect(peakConcurrency(samplesOf(rows.slice(0, 1).concat(rows.slice(2))), 60)).toBe(1);
});

import { expect, test } from "vitest";
import { httpLoadSchema, probeSchema } from "../model/experiment.ts";
import { ExitCode } from "../model/error.ts";
import { annexJob, floodJob, floorJob, probeJob, readinessJob, type Addresses } from "./jobs.ts";

const machine = { namespace: "n", prefix: 24 };
const plan: Addresses = {
  lab: "l",
  targets: { apache1: { context: "all", address: "10.0.0.11", port: 80, host: "shop" } },
  machines: {
    station: { name: "station", address: "10.0.0.2", ...machine },
    outside: { name: "outside", address: "10.0.0.3", ...machine },
  },
};
const probe = (value: object) => probeSchema.parse({ target: "apache1", ...value });

test("an http probe asks the domain's own site for its page, at its rate, on a connection each", () => {
  expect(probeJob(plan, probe({ probe: "http", rate: 50, path: "/p", timeout: "3s" }), 4000)).toEqual({
    kind: "http",
    address: "10.0.0.11",
    port: 80,
    host: "shop",
    path: "/p",
    keepAlive: false,
    timeoutMs: 3000,
    loop: { mode: "open", rateHz: 50, durationMs: 4000 },
  });
});

test("ping and connect are paced too; a transfer is one request that may outlast the phase", () => {
  const loop = { mode: "open", rateHz: 10, durationMs: 4000 };
  expect(probeJob(plan, probe({ probe: "ping" }), 4000)).toMatchObject({ kind: "ping", address: "10.0.0.11", loop });
  expect(probeJob(plan, probe({ probe: "connect", port: 443 }), 4000)).toMatchObject({
    kind: "connect",
    port: 443,
    loop,
  });
  expect(probeJob(plan, probe({ probe: "transfer" }), 4000)).toMatchObject({
    path: "/large.bin",
    loop: { mode: "closed", concurrency: 1, requests: 1, durationMs: null },
  });
});

test("the floor is the outside machine, none of the platform's", () => {
  expect(floorJob(plan, 4000)).toMatchObject({ address: "10.0.0.3", loop: { mode: "open", durationMs: 4000 } });
});

test("a flood without a number of requests ends by itself, one with a number when they are done", () => {
  const flood = (value: object) =>
    floodJob(plan, httpLoadSchema.parse({ on: "apache1", concurrency: 100, ...value }), 9000);
  expect(flood({})).toMatchObject({ loop: { mode: "closed", concurrency: 100, requests: null, durationMs: 9000 } });
  expect(flood({ requests: 5000 })).toMatchObject({ loop: { requests: 5000, durationMs: null } });
});

test("the study's own probe and the look at a domain end by number and by time", () => {
  const { target, path, timeout } = { target: "apache1", path: "/", timeout: 1000 };
  expect(annexJob(plan, { target, path, timeout }, 50, 5).loop).toMatchObject({
    concurrency: 5,
    requests: 50,
    durationMs: 20_000,
  });
  const look = (limitMs: number) => readinessJob(plan, { target: "apache1", path: "/", limitMs });
  expect(look(100)).toMatchObject({
    job: { timeoutMs: 2000, loop: { requests: 3, durationMs: 4000 } },
    longestMs: 6000,
  });
  // A page that is slow when nothing else is asked is ready, too.
  expect(look(2500).job.timeoutMs).toBe(5000);
  expect(look(Infinity)).toMatchObject({ job: { timeoutMs: 10_000, loop: { durationMs: 20_000 } }, longestMs: 30_000 });
});

test("a name that is no domain's is the user's error", () => {
  expect(() => readinessJob(plan, { target: "apache9", path: "/", limitMs: 100 })).toThrow(
    expect.objectContaining({ exit: ExitCode.usage }),
  );
});

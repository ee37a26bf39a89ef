import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import type { LoadJob } from "../load/load.ts";
import { experimentSchema } from "../model/experiment.ts";
import type { LabPlan } from "../model/plan.ts";
import { ERROR_KINDS } from "../model/samples.ts";
import { calibrate } from "./calibrate.ts";
import { samplesOf } from "./fixture.ts";
import type { Station } from "./station.ts";

const EXPERIMENT = experimentSchema.parse({
  name: "e",
  lab: "lab.yaml",
  platforms: ["qemu"],
  probes: [
    { probe: "http", target: "apache1" },
    { probe: "ping", target: "apache1" },
  ],
  phases: {
    reference: {},
    flood: { floods: [{ on: "apache2", concurrency: 2 }] },
    more: { floods: [{ on: "apache2", concurrency: 500 }] },
  },
});
const PLAN = {
  lab: "l",
  platform: "qemu",
  targets: {
    apache1: { context: "apache1", address: "10.0.0.11", port: 80, host: "apache1" },
    apache2: { context: "apache2", address: "10.0.0.12", port: 80, host: "apache2" },
  },
} as unknown as LabPlan;

/** @param answers latencies of the answers to a job, ms; null: nothing is answered */
function station(jobs: LoadJob[], answers: (job: LoadJob) => number[] | null): Station {
  const client = {
    engine: "epoll" as const,
    start(job: LoadJob) {
      jobs.push(job);
      const latencies = answers(job);
      const none = { error: Uint8Array.of(ERROR_KINDS.indexOf("refused")) };
      const samples = latencies === null ? samplesOf([1], none) : samplesOf(latencies);
      const result = Promise.resolve({
        engine: "epoll" as const,
        samples,
        startedAtMs: 0,
        elapsedMs: 2000,
        clientCpuNs: 1,
        sendDelayMs: null,
      });
      const progress = () => ({ begun: 0, finished: 0, failed: 0, recentP95Ms: null });
      return { result, progress, stop: () => undefined };
    },
    close: async () => undefined,
  };
  const get = async () => client;
  return { probe: get, transfer: get, flood: get, close: async () => undefined };
}

test("asks each page that is probed or flooded, once warm, on some connections and alone", async () => {
  const jobs: LoadJob[] = [];
  const answers = ({ loop }: LoadJob) =>
    loop.mode === "closed" && loop.concurrency > 1 ? Array.from({ length: 63 }, () => 90) : [20, 25, 22];
  const pages = await calibrate(createFakeHost(), {
    plan: PLAN,
    experiment: EXPERIMENT,
    station: station(jobs, answers),
  });
  expect(pages).toEqual([
    { platform: "qemu", target: "apache1", path: "/index.html", aloneMs: 22, perSecond: 31.5 },
    { platform: "qemu", target: "apache2", path: "/compute.php", aloneMs: 22, perSecond: 31.5 },
  ]);
  expect(jobs.map(({ loop }) => loop.mode === "closed" && loop.concurrency)).toEqual([1, 1, 5, 1, 1, 1, 5, 1]);
});

test("of a page that is never answered nothing is found out, and of the others all", async () => {
  const pages = await calibrate(createFakeHost(), {
    plan: PLAN,
    experiment: EXPERIMENT,
    station: station([], (job) => ("host" in job && job.host === "apache1" ? null : [20, 25, 22])),
  });
  expect(pages.map(({ target }) => target)).toEqual(["apache2"]);
});

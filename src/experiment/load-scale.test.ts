import { expect, test } from "vitest";
import { experimentSchema } from "../model/experiment.ts";
import type { PageCapacity } from "../model/result.ts";
import { loadScale, scaledLoads } from "./load-scale.ts";

const EXPERIMENT = experimentSchema.parse({
  name: "e",
  lab: "lab.yaml",
  platforms: ["container", "qemu"],
  duration: "4s",
  probes: [
    { probe: "http", target: "apache1", rate: 100 },
    { probe: "connect", target: "apache1", rate: 20 },
    { probe: "ping", target: "apache1", rate: 10 },
  ],
  phases: {
    reference: {},
    flood: { duration: "2s", floods: [{ on: "apache2", concurrency: 100, requests: 100_000 }] },
    few: { floods: [{ on: "apache2", concurrency: 100, requests: 200 }] },
    endless: { floods: [{ on: "apache2", concurrency: 500 }] },
    cpu: { stressors: [{ stressor: "cpu", on: ["linux1"], instances: 4 }] },
  },
});

const page = (platform: PageCapacity["platform"], perSecond: number, path = "/index.html"): PageCapacity => ({
  platform,
  target: "apache1",
  path,
  aloneMs: 10,
  perSecond,
});

test("loads are as planned where every platform can carry the probe", () => {
  expect(loadScale(EXPERIMENT, [page("container", 900), page("qemu", 334)])).toEqual({ scale: 1, limitedBy: null });
  expect(scaledLoads(EXPERIMENT, 1)).toBe(EXPERIMENT);
});

test("the platform that can do least decides for all, by its probed page only", () => {
  const slow = page("qemu", 31.3);
  expect(loadScale(EXPERIMENT, [page("container", 900), slow, page("qemu", 2, "/compute.php")])).toEqual({
    scale: 0.093,
    limitedBy: slow,
  });
});

test("a scale is rounded down to two digits, so that a probe never has more than its share", () => {
  expect(loadScale(EXPERIMENT, [page("qemu", 333)]).scale).toBe(0.99);
  expect(loadScale(EXPERIMENT, [page("qemu", 1)]).scale).toBe(0.003);
});

test("paced probes and counted floods are scaled; connections, pings and stressors are not", () => {
  const scaled = scaledLoads(EXPERIMENT, 0.1);
  expect(scaled.probes.map((probe) => ("rate" in probe ? probe.rate : null))).toEqual([10, 2, 10]);
  expect(scaled.phases["flood"]?.floods).toMatchObject([{ concurrency: 100, requests: 10_000 }]);
  expect(scaled.phases["few"]?.floods).toMatchObject([{ concurrency: 100, requests: 100 }]);
  expect(scaled.phases["endless"]?.floods).toEqual(EXPERIMENT.phases["endless"]?.floods);
  expect(scaled.phases["cpu"]).toEqual(EXPERIMENT.phases["cpu"]);
});

test("phases are as long as the study's own number of requests takes", () => {
  const scaled = scaledLoads(EXPERIMENT, 0.1);
  expect([scaled.duration, scaled.phases["flood"]?.duration]).toEqual([5000, 5000]);
  expect(scaled.phases["reference"]).toEqual({ floods: [], stressors: [] });
  expect(scaledLoads(EXPERIMENT, 0.5).duration).toBe(4000);
});

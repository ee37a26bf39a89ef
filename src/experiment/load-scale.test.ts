import { expect, test } from "vitest";
import { experimentSchema, type Experiment } from "../model/experiment.ts";
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

const page = (platform: PageCapacity["platform"], aloneMs: number, path = "/index.html"): PageCapacity => ({
  platform,
  target: "apache1",
  path,
  aloneMs,
  perSecond: 500,
});

test("loads are as planned where every platform can carry the probe", () => {
  expect(loadScale(EXPERIMENT, [page("container", 0.4), page("qemu", 2)])).toEqual({ scale: 1, limitedBy: null });
  expect(scaledLoads(EXPERIMENT, { scale: 1, pages: [] })).toEqual(EXPERIMENT);
});

test("the platform that can do least decides for all, by its probed page only", () => {
  const slow = page("qemu", 21.4);
  expect(loadScale(EXPERIMENT, [page("container", 0.4), slow, page("qemu", 500, "/compute.php")])).toEqual({
    scale: 0.093,
    limitedBy: slow,
  });
});

test("a scale is rounded down to two digits, so that a probe never has more than its share", () => {
  expect(loadScale(EXPERIMENT, [page("qemu", 2.006)]).scale).toBe(0.99);
  expect(loadScale(EXPERIMENT, [page("qemu", 660)]).scale).toBe(0.003);
});

test("paced probes and counted floods are scaled; connections, pings and stressors are not", () => {
  const scaled = scaledLoads(EXPERIMENT, { scale: 0.1, pages: [] });
  expect(scaled.probes.map((probe) => ("rate" in probe ? probe.rate : null))).toEqual([10, 2, 10]);
  expect(scaled.phases["flood"]?.floods).toMatchObject([{ concurrency: 100, requests: 10_000 }]);
  expect(scaled.phases["few"]?.floods).toMatchObject([{ concurrency: 100, requests: 100 }]);
  expect(scaled.phases["endless"]?.floods).toEqual(EXPERIMENT.phases["endless"]?.floods);
  expect(scaled.phases["cpu"]).toEqual(EXPERIMENT.phases["cpu"]);
});

test("a phase is long enough for some answers to its flood on the slowest platform, and no longer than a minute", () => {
  const capacity = (perSecond: number): PageCapacity => ({
    ...page("qemu", 10, "/compute.php"),
    target: "apache2",
    perSecond,
  });
  const durations = (perSecond: number, changes: Partial<Experiment> = {}) => {
    const pages = [{ ...capacity(800), platform: "container" as const }, capacity(perSecond)];
    const { duration, phases } = scaledLoads({ ...EXPERIMENT, ...changes }, { scale: 1, pages });
    return [duration, phases["endless"]?.duration, phases["flood"]?.duration, phases["cpu"]?.duration];
  };
  expect(durations(6.25)).toEqual([4000, 8000, 2000, undefined]);
  expect(durations(100)).toEqual([4000, undefined, 2000, undefined]);
  expect(durations(0.1)).toEqual([4000, 60_000, 2000, undefined]);
  expect(durations(6.25, { functional: true })).toEqual([4000, undefined, 2000, undefined]);
});

test("phases are as long as the study's own number of requests takes", () => {
  const scaled = scaledLoads(EXPERIMENT, { scale: 0.1, pages: [] });
  expect([scaled.duration, scaled.phases["flood"]?.duration]).toEqual([5000, 5000]);
  expect(scaled.phases["reference"]).toEqual({ floods: [], stressors: [] });
  expect(scaledLoads(EXPERIMENT, { scale: 0.5, pages: [] }).duration).toBe(4000);
});

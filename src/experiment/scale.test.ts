import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { recordedExperiment, scaleExperiment } from "./scale.ts";

const STUDY = readFileSync(new URL("../../examples/study/experiment.yaml", import.meta.url), "utf8");

test("quick is the file as it is written", () => {
  expect(scaleExperiment(STUDY, "quick")).toBe(STUDY);
});

interface Written {
  phases: Record<string, { floods: { requests?: number }[]; stressors?: object[] }>;
}
const written = (text: string) => parse(text) as Written;

test("smoke is one block of short phases, of the same phases", () => {
  const smoke = written(scaleExperiment(STUDY, "smoke"));
  expect(smoke).toMatchObject({ blocks: 1, duration: "2s" });
  expect(smoke.phases).toEqual(written(STUDY).phases);
});

test("functional keeps every phase, with next to no load, and says that nothing is measured", () => {
  const text = scaleExperiment(STUDY, "functional");
  const functional = written(text);
  expect(functional).toMatchObject({ functional: true, blocks: 1, duration: "1s", annex: { blocks: 0 } });
  expect(Object.keys(functional.phases)).toEqual(Object.keys(written(STUDY).phases));
  expect(functional.phases["flood-1000"]?.floods).toEqual([expect.objectContaining({ concurrency: 4 })]);
  expect(functional.phases["cpu-4"]?.stressors).toEqual([expect.objectContaining({ instances: 1 })]);
  expect(text).toContain("rate: 5");
});

test("full sends the study's own numbers of requests", () => {
  const { phases } = written(scaleExperiment(STUDY, "full"));
  expect(phases["flood-100"]?.floods[0]?.requests).toBe(100_000);
  expect(phases["flood-500"]?.floods[0]?.requests).toBe(500_000);
  expect(phases["flood-1000"]?.floods[0]?.requests).toBe(500_000);
  expect(phases["cpu-1"]).toEqual(written(STUDY).phases["cpu-1"]);
});

test("a recorded experiment names its seed, its platforms and the lab beside it, and keeps its comments", () => {
  const text = recordedExperiment(STUDY, 42, ["qemu"]);
  expect(parse(text)).toMatchObject({ seed: 42, lab: "lab.yaml", platforms: ["qemu"] });
  expect(text).toContain("# The 2009 study's second question");
});

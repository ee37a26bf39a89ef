import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseExperiment } from "../files/experiment-file.ts";
import { parseImageConfiguration } from "../files/image-file.ts";
import { parseLab } from "../files/lab-file.ts";
import type { Recipe } from "../model/image.ts";
import type { NamedImage } from "../model/named-image.ts";
import { planLab } from "./plan.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const EXPERIMENT = "experiment.yaml";
const files = readdirSync(EXAMPLES, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".yaml"));
const experiments = files.filter((path) => path.endsWith(EXPERIMENT));
const IMAGE = "image.yaml";
/** Every other YAML file is a lab. */
const images = files.filter((path) => path.endsWith(IMAGE));
const labs = files.filter((path) => !path.endsWith(EXPERIMENT) && !path.endsWith(IMAGE));
const read = (path: string) => readFileSync(join(EXAMPLES, path), "utf8");
const recipe: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };

/** What the images of the examples would be, each by the name of its folder. */
const made = Object.fromEntries(
  images.map((path): [string, NamedImage] => {
    const name = basename(dirname(path));
    const { services, memory } = parseImageConfiguration(path, read(path));
    const sizes = { sizeBytes: null, memoryBytes: memory ?? null, swapBytes: null };
    const about = { createdAt: "2026-01-01T00:00:00.000Z", source: path, key: null };
    return [name, { schema: "cloison.named-image/1", name, recipe: { ...recipe, services }, ...sizes, ...about }];
  }),
);

describe("every example", () => {
  test.each(labs)("%s can be planned, on its own platform and merged", (path) => {
    const lab = parseLab(path, read(path), made);
    for (const platform of [
      { name: lab.platform, merges: false },
      { name: "shared" as const, merges: true },
    ]) {
      const plan = planLab(lab, {
        platform,
        cpus: [0, 1],
        recipeOf: () => recipe,
        uniteRecipes: () => recipe,
        siteFiles: () => ({}),
      });
      expect(plan.domains.length).toBeGreaterThan(0);
      expect(Object.keys(plan.targets)).toHaveLength(
        plan.domains.reduce((sum, domain) => sum + domain.members.length, 0),
      );
    }
  });

  test.each(experiments)("%s is good, and so is its lab", async (path) => {
    const { experiment } = await parseExperiment(path, read(path), async (lab) =>
      parseLab(lab, read(join(dirname(path), lab))),
    );
    expect(experiment.phases[experiment.reference]).toBeDefined();
  });

  test.each(files)("%s tells editors its schema", (path) => {
    const name = path.endsWith(EXPERIMENT) ? "experiment" : path.endsWith(IMAGE) ? "image" : "lab";
    const [, schema] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(read(path)) ?? [];
    expect(join(dirname(path), schema ?? "")).toBe(`../schema/${name}.json`);
  });
});

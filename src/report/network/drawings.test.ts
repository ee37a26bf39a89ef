import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseLab } from "../../files/lab-file.ts";
import type { Recipe } from "../../model/image.ts";
import { planLab } from "../../plan/plan.ts";
import { networkDrawing } from "./drawing.ts";
import { sceneOf } from "./scene-of.ts";

const ROOT = new URL("../../../", import.meta.url);
const DRAWINGS = new URL("docs/networks/", ROOT);
const RENEW = "npx vitest run --project unit src/report/network/drawings.test.ts -u";
const recipe: Recipe = { base: "minbase", packages: [], files: {}, commands: [], services: {} };
const examples = namesIn(new URL("examples/networks/", ROOT), ".yaml");

describe(`docs/networks has the examples as they are drawn; to renew: ${RENEW}`, () => {
  test.each(examples)("%s", async (name) => {
    await expect(drawn(name)).toMatchFileSnapshot(fileURLToPath(new URL(`${name}.svg`, DRAWINGS)));
  });

  test("and no others", () => {
    expect(namesIn(DRAWINGS, ".svg")).toEqual(examples);
  });
});

/** What `cloison net draw` prints of an example, where the kernel makes the VLANs. */
function drawn(name: string): string {
  const path = `examples/networks/${name}.yaml`;
  const lab = parseLab(path, readFileSync(new URL(path, ROOT), "utf8"));
  const plan = planLab(lab, {
    platform: { name: lab.platform, merges: false },
    cpus: [0, 1],
    vlanBackend: "kernel",
    recipeOf: () => recipe,
    uniteRecipes: () => recipe,
    siteFiles: () => ({}),
  });
  return networkDrawing(sceneOf(plan), `Network of lab ${plan.lab}`);
}

function namesIn(folder: URL, ending: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .toSorted();
}

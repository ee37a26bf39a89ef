import { expect, test } from "vitest";
import { recipeSchema } from "../model/image.ts";
import type { ResolvedPackage } from "./apt-packages.ts";
import { imageKey, recipeKey } from "./image-key.ts";

const recipe = recipeSchema.parse({
  packages: ["tini", "procps"],
  files: { "/a": { content: "a" }, "/b": { content: "b" } },
  services: { one: { command: ["one"] } },
});
const resolved = (name: string, version: string): ResolvedPackage => ({
  name,
  version,
  file: "",
  poolFile: "",
  bytes: 1,
});
const packages = [resolved("tini", "0.19"), resolved("procps", "4.0")];

test("the order of packages and files does not matter, services neither", () => {
  const { "/a": a, "/b": b } = recipe.files;
  const files = Object.fromEntries(
    Object.entries({ "/b": b, "/a": a }).flatMap(([path, file]) => (file ? [[path, file]] : [])),
  );
  expect(recipeKey({ ...recipe, packages: ["procps", "tini"], files, services: {} })).toBe(recipeKey(recipe));
});

test("packages, files, modes, commands and base each make another recipe", () => {
  const others = [
    { ...recipe, packages: ["tini"] },
    { ...recipe, files: {} },
    { ...recipe, files: { "/a": { content: "a", mode: "0600" }, "/b": { content: "b", mode: "0644" } } },
    { ...recipe, commands: ["true"] },
    { ...recipe, base: "apt" as const },
  ];
  expect(new Set([recipe, ...others].map(recipeKey)).size).toBe(others.length + 1);
});

test("a version, a suite and an architecture each make another image", () => {
  const keys = [
    imageKey(recipe, "bookworm", "amd64", packages),
    imageKey(recipe, "trixie", "amd64", packages),
    imageKey(recipe, "bookworm", "arm64", packages),
    imageKey(recipe, "bookworm", "amd64", [resolved("tini", "0.20"), resolved("procps", "4.0")]),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(imageKey(recipe, "bookworm", "amd64", packages.toReversed())).toBe(keys[0]);
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
});

import { expect, test } from "vitest";
import { recipeSchema } from "../model/image.ts";
import type { NamedImage } from "../model/named-image.ts";
import { parseLab } from "./lab-file.ts";

const recipe = recipeSchema.parse({ packages: ["tini"], services: { web: { command: ["web"] } } });
const blog: NamedImage = {
  schema: "cloison.named-image/1",
  name: "blog",
  createdAt: "2026-01-01T00:00:00.000Z",
  source: null,
  recipe,
  sizeBytes: null,
  memoryBytes: 96 * 2 ** 20,
  swapBytes: null,
  key: "k",
};
const lab = (domains: string, top = "") =>
  parseLab("l.yaml", `name: t\n${top}networks: { n: { subnet: 10.9.0.0/24 } }\ndomains: { ${domains} }\n`, { blog });

test("a domain's image may be one that has a name of its own, with its services and memory", () => {
  const { images, domains } = lab("a: { image: blog, services: [web] }, b: { image: blog, memory: 1G }");
  expect(images).toEqual({ blog: recipe });
  expect([domains["a"]?.memory, domains["b"]?.memory]).toEqual([96 * 2 ** 20, 2 ** 30]);
});

test("a lab's own image goes before one of the same name", () => {
  const { images, domains } = lab("a: { image: blog }", "images: { blog: { recipe: plain } }\n");
  expect(images["blog"]).toMatchObject({ recipe: "plain" });
  expect(domains["a"]?.memory).toBe(256 * 2 ** 20);
});

test("an image that is neither is told", () => {
  expect(() => lab("a: { image: bolg }")).toThrow(
    "l.yaml:3:17 domains.a.image: bolg is not among the images of this lab (none), nor is there one that `cloison image` has made",
  );
});

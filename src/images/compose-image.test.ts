import { describe, expect, test } from "vitest";
import { imageConfigurationSchema } from "../model/image-configuration.ts";
import { recipeSchema } from "../model/image.ts";
import { composeImage, type ReadConfiguration } from "./compose-image.ts";
import { recipeKey } from "./image-key.ts";

const layer = (configuration: object, more: Partial<ReadConfiguration> = {}): ReadConfiguration => ({
  configuration: imageConfigurationSchema.parse(configuration),
  files: {},
  hooks: [],
  ...more,
});
const compose = (...layers: ReadConfiguration[]) => composeImage(layers, "bookworm");
const text = (content: string) => ({ content, mode: "0644" });

test("without a file and defaults an image is the plain one", () => {
  const { recipe, ...sizes } = compose();
  expect(recipe).toMatchObject({ base: "minbase", files: {}, commands: [], services: {} });
  expect(recipe.packages).toContain("tini");
  expect(sizes).toEqual({ sizeBytes: null, memoryBytes: null, swapBytes: null });
});

test("what can be said once is the image's; the rest comes together, the defaults first", () => {
  const defaults = layer(
    {
      base: "apt",
      memory: "64M",
      size: "1G",
      packages: ["vim"],
      commands: ["a"],
      users: { ann: { shell: "/bin/sh" } },
    },
    { files: { "/a": text("default"), "/b": text("b") }, hooks: [{ name: "10-x", script: "#!old" }] },
  );
  const own = layer(
    { recipe: "web", memory: "128M", packages: ["nano"], commands: ["b"] },
    { files: { "/a": text("own") }, hooks: [{ name: "10-x", script: "#!new" }] },
  );
  const { recipe, memoryBytes, sizeBytes } = compose(defaults, own);
  expect([memoryBytes, sizeBytes]).toEqual([128 * 2 ** 20, 2 ** 30]);
  expect(recipe.base).toBe("apt");
  expect(recipe.packages).toEqual(expect.arrayContaining(["apache2", "nano", "passwd", "vim"]));
  expect(recipe.files).toMatchObject({ "/a": text("own"), "/b": text("b") });
  expect(recipe.commands.slice(-2)).toEqual(["a", "b"]);
  expect(recipe.hooks).toEqual([{ name: "10-x", script: "#!new" }]);
  expect(Object.keys(recipe.users ?? {})).toEqual(["ann"]);
  expect(recipe.services).toHaveProperty("apache");
  expect(recipeSchema.parse(recipe)).toEqual(recipe);
});

test("swap is in the disk's fstab, unless the image has one of its own", () => {
  expect(compose(layer({ swap: "64M" })).recipe.files["/etc/fstab"]?.content).toContain("LABEL=cloison-swap none swap");
  const own = layer({ swap: "64M" }, { files: { "/etc/fstab": text("mine") } });
  expect(compose(own).recipe.files["/etc/fstab"]).toEqual(text("mine"));
});

describe("the system", () => {
  test.each([
    ["nothing", {}, undefined],
    ["the machine's own", { distribution: "debian", release: "bookworm" }, undefined],
    ["another release", { release: "trixie" }, { distribution: "debian", release: "trixie" }],
    [
      "the machine's own, from elsewhere",
      { mirror: "http://m/debian" },
      { distribution: "debian", release: "bookworm", mirror: "http://m/debian" },
    ],
    [
      "another distribution",
      { distribution: "ubuntu", release: "noble" },
      { distribution: "ubuntu", release: "noble" },
    ],
  ])("of %s", (_, configuration, system) => {
    expect(compose(layer(configuration)).recipe.system).toEqual(system);
  });

  test("Ubuntu needs its release", () => {
    expect(() => compose(layer({ distribution: "ubuntu" }))).toThrow("an image of Ubuntu needs a release");
  });
});

test("every part of the description is a part of the key, but services and sizes", () => {
  const key = (configuration: object, more: Partial<ReadConfiguration> = {}) =>
    recipeKey(compose(layer(configuration, more)).recipe);
  const keys = [
    key({}),
    key({ packages: ["vim"] }),
    key({ users: { ann: {} } }),
    key({ users: { ann: { groups: ["sudo"] } } }),
    key({ rootPasswordHash: "$6$a$b" }),
    key({ release: "trixie" }),
    key({ commands: ["true"] }),
    key({}, { hooks: [{ name: "a", script: "#!/bin/sh" }] }),
    key({}, { hooks: [{ name: "b", script: "#!/bin/sh" }] }),
    key({}, { files: { "/a": text("a") } }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  expect(key({ memory: "1G", size: "2G", services: { s: { command: ["s"] } } })).toBe(keys[0]);
});

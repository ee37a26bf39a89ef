import { expect, test } from "vitest";
import { recipeSchema, type Recipe } from "../model/image.ts";
import { RECIPES } from "./recipes.ts";
import { uniteRecipes } from "./unite-recipes.ts";

const recipe = (part: Partial<Recipe>): Recipe => recipeSchema.parse(part);

test("a union has everything, each once, in an order that does not depend on who comes first", () => {
  const a = recipe({ base: "apt", packages: ["tini", "apache2"], commands: ["a", "both"] });
  const b = recipe({
    base: "minbase",
    packages: ["fio", "tini"],
    commands: ["both", "b"],
    services: { s: { command: ["s"] } },
  });
  const united = uniteRecipes([a, b]);
  expect(united).toEqual({
    base: "minbase",
    packages: ["apache2", "fio", "tini"],
    files: {},
    commands: ["a", "both", "b"],
    services: { s: { command: ["s"] } },
  });
  expect(uniteRecipes([b, a]).packages).toEqual(united.packages);
  expect(uniteRecipes([a, a])).toEqual({ ...a, packages: ["apache2", "tini"] });
});

test("the study's recipes go together", () => {
  const united = uniteRecipes([RECIPES.web, RECIPES.stress]);
  expect(recipeSchema.parse(united)).toEqual(united);
  expect(united.packages).toEqual(
    expect.arrayContaining(["apache2", "libapache2-mod-php", "stress-ng", "fio", "iperf3", "tini"]),
  );
  expect(Object.keys(united.services)).toEqual(["apache"]);
});

test("two things in one place are refused", () => {
  const file = (content: string) => recipe({ files: { "/etc/motd": { content, mode: "0644" } } });
  const service = (word: string) => recipe({ services: { web: { command: [word] } } });
  expect(uniteRecipes([file("one"), file("one")]).files).toEqual(file("one").files);
  expect(() => uniteRecipes([file("one"), file("two")])).toThrow("two images have a file /etc/motd, and they differ");
  expect(() => uniteRecipes([service("a"), service("b")])).toThrow("two images have a service web, and they differ");
});

test("what only images with a name have comes together, too", () => {
  const system = { distribution: "debian", release: "trixie" } as const;
  const hook = { name: "10-a", script: "#!/bin/sh\n" };
  const a = recipe({ system, users: { ann: { groups: [], shell: "/bin/sh", sshKeys: [] } }, hooks: [hook] });
  const b = recipe({ system, rootPasswordHash: "$6$a$b", hooks: [hook, { ...hook, name: "20-b" }] });
  expect(uniteRecipes([a, b])).toMatchObject({
    system,
    users: { ann: {} },
    rootPasswordHash: "$6$a$b",
    hooks: [hook, { name: "20-b" }],
  });
});

test("systems that cannot be one are told apart", () => {
  const imported = recipe({ imported: "k" });
  expect(uniteRecipes([imported, imported])).toEqual(imported);
  expect(() => uniteRecipes([imported, recipe({})])).toThrow("an imported image is a whole system");
  const trixie = recipe({ system: { distribution: "debian", release: "trixie" } });
  expect(() => uniteRecipes([trixie, recipe({})])).toThrow("two images are of different releases");
  const [a, b] = ["$6$a$a", "$6$b$b"].map((rootPasswordHash) => recipe({ rootPasswordHash }));
  expect(() => uniteRecipes([a, b] as Recipe[])).toThrow("two images have each a root password of their own");
});

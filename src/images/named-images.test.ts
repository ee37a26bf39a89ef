import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import { recipeSchema } from "../model/image.ts";
import type { NamedImage } from "../model/named-image.ts";
import {
  forgetNamedImage,
  listNamedImages,
  readNamedImage,
  requireNamedImage,
  writeNamedImage,
} from "./named-images.ts";

const image = (name: string): NamedImage => ({
  schema: "cloison.named-image/1",
  name,
  createdAt: "2026-01-01T00:00:00.000Z",
  source: "image.yaml",
  recipe: recipeSchema.parse({}),
  sizeBytes: 2 ** 30,
  memoryBytes: null,
  swapBytes: null,
  key: null,
});

test("an image is what was written under its name, until it is forgotten", async () => {
  const host = createFakeHost();
  await writeNamedImage(host, "/store", image("blog"));
  await writeNamedImage(host, "/store", image("mail"));
  expect(await readNamedImage(host, "/store", "blog")).toEqual(image("blog"));
  expect(Object.keys(await listNamedImages(host, "/store"))).toEqual(["blog", "mail"]);
  await forgetNamedImage(host, "/store", "blog");
  expect(await readNamedImage(host, "/store", "blog")).toBeNull();
});

test("a name that there is not is told with the one that was meant, or with those that there are", async () => {
  const host = createFakeHost();
  const hint = (text: string) => expect.objectContaining({ exit: 2, hint: text }) as Error;
  await expect(requireNamedImage(host, "/store", "blog")).rejects.toThrow(hint("cloison image create makes one"));
  await writeNamedImage(host, "/store", image("blog"));
  await expect(requireNamedImage(host, "/store", "bolg")).rejects.toThrow(hint("did you mean blog?"));
  await expect(requireNamedImage(host, "/store", "../../etc/passwd")).rejects.toThrow(hint("there is blog"));
});

test("a description that cannot be read is an error, and left out where labs are read", async () => {
  const host = createFakeHost({ files: { "/store/.named/blog.json": "{" } });
  await expect(listNamedImages(host, "/store")).rejects.toThrow("image blog: its description cannot be read");
  expect(await listNamedImages(host, "/store", "damaged")).toEqual({});
});

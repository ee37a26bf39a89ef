import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { suitesOf } from "./suites.mjs";

const root = resolve(import.meta.dirname, "..");

/** A file of the tests with all that it imports from there, from the root. */
function readBy(path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  const text = readFileSync(resolve(root, path), "utf8");
  for (const [, from] of text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
    const imported = relative(root, resolve(root, dirname(path), from));
    if (imported.startsWith("test/")) readBy(imported, seen);
  }
  return seen;
}

test("no suite of the long lane reads the platforms' contract, which is none of its inputs", () => {
  const read = suitesOf(root, "long").map(({ file }) => [...readBy(file)]);
  expect(read.filter((paths) => paths.length > 1).length).toBeGreaterThan(5);
  expect(read.flat().filter((path) => path.startsWith("test/contract/"))).toEqual([]);
  expect([...readBy("test/system/qemu.test.ts")]).toContain("test/contract/platform-contract.ts");
});

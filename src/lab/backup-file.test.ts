import { expect, test } from "vitest";
import { parseManifest, parseSums } from "./backup-file.ts";

const SUM = "0123456789abcdef".repeat(4);
const MANIFEST = {
  schema: "cloison.backup/1",
  lab: "study",
  createdAt: "2026-01-01T00:00:00.000Z",
  platform: "container",
  labFile: "name: study",
  namedImages: {},
  domains: ["a"],
  imageKeys: { web: SUM },
  withImages: false,
  files: { "domains/a.tar.zst": SUM },
};

test("what sha256sum prints, by path", () => {
  expect(parseSums(`${SUM}  ./domains/a.tar.zst\n${SUM} */x\nnonsense\n${SUM}  ./a b\n`)).toEqual({
    "domains/a.tar.zst": SUM,
    "a b": SUM,
  });
});

test("a manifest is read as it was written", () => {
  expect(parseManifest("x", JSON.stringify(MANIFEST))).toEqual(MANIFEST);
});

test.each([
  ["another version's", { ...MANIFEST, schema: "cloison.backup/2" }, /another version of cloison: cloison.backup\/2/],
  ["somebody else's", { schema: 1 }, /is not a backup/],
  ["with a path for a name", { ...MANIFEST, lab: "../x" }, /is not a backup/],
  ["with a path for a domain", { ...MANIFEST, domains: ["../x"] }, /is not a backup/],
  ["with a path for an image", { ...MANIFEST, imageKeys: { web: "../x" } }, /is not a backup/],
  ["no manifest", "hello", /is not a backup/],
])("%s is refused", (_, value, says) => {
  expect(() => parseManifest("x.tar.zst", JSON.stringify(value))).toThrow(says);
});

import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFiles } from "./files.ts";

const files = createFiles();
let scratch = "";
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "cloison-files-"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

test("writing makes parents and sets the mode exactly", async () => {
  const path = join(scratch, "a/b/c");
  await files.writeText(path, "one");
  await files.writeText(path, "two", 0o666);
  expect(await files.readText(path)).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o666);
});

test("replacing leaves nothing beside, also when it fails", async () => {
  const path = join(scratch, "text");
  await files.replaceText(path, "one");
  await files.replaceText(path, "two");
  mkdirSync(join(scratch, "directory"));
  await expect(files.replaceText(join(scratch, "directory"), "three")).rejects.toThrow("EISDIR");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(readdirSync(scratch)).toEqual(["directory", "text"]);
});

test("appending goes to the end of what is there under that name", async () => {
  const path = join(scratch, "logs/journal");
  await files.appendSynced(path, "one\n");
  await files.appendSynced(path, "two\n");
  await files.remove(path);
  await files.appendSynced(path, "three\n");
  expect(readFileSync(path, "utf8")).toBe("three\n");
});

test("what is missing is answered, not thrown", async () => {
  const none = join(scratch, "none");
  writeFileSync(join(scratch, "file"), "");
  expect(await files.readTextIfExists(none)).toBeNull();
  expect(await files.readTextIfExists(join(scratch, "file/below"))).toBeNull();
  expect(await files.exists(none)).toBe(false);
  expect(await files.list(none)).toEqual([]);
  expect(await files.kind(none)).toBeNull();
  await files.remove(none);
  await expect(files.readText(none)).rejects.toThrow("ENOENT");
});

test("a file's stamp changes when it is written to or replaced", async () => {
  const path = join(scratch, "a");
  expect(await files.stamp(path)).toBeNull();
  await files.writeText(path, "one");
  const first = await files.stamp(path);
  expect(await files.stamp(path)).toBe(first);
  await files.replaceText(path, "two");
  expect(await files.stamp(path)).not.toBe(first);
});

test("kind does not follow a link, exists does", async () => {
  symlinkSync("/nowhere", join(scratch, "link"));
  expect(await files.kind(join(scratch, "link"))).toBe("symlink");
  expect(await files.exists(join(scratch, "link"))).toBe(false);
  expect(await files.kind(scratch)).toBe("directory");
  expect(await files.kind("/dev/null")).toBe("other");
});

test("removing takes links away, not what they point to", async () => {
  mkdirSync(join(scratch, "kept"));
  writeFileSync(join(scratch, "kept/file"), "kept");
  mkdirSync(join(scratch, "tree/below"), { recursive: true });
  symlinkSync(join(scratch, "kept"), join(scratch, "tree/below/link"));
  symlinkSync(join(scratch, "kept"), join(scratch, "link"));
  await files.remove(join(scratch, "tree"));
  await files.remove(join(scratch, "link"));
  expect(readdirSync(scratch)).toEqual(["kept"]);
  expect(readFileSync(join(scratch, "kept/file"), "utf8")).toBe("kept");
});

test("a full disk is said as such", async () => {
  // /dev/full answers every write with ENOSPC (full(4)).
  const error = await files.appendSynced("/dev/full", "x").catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: "LabError", message: "cannot change /dev/full: ENOSPC" });
  expect(error).toHaveProperty("hint", expect.stringContaining("make room"));
});

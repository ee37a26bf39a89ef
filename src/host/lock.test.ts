import { mkdtempSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tryLock } from "./lock.ts";

let scratch = "";
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "cloison-lock-"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

test("one at a time; the file names the holder", () => {
  const path = join(scratch, "labs/a/lock");
  const lock = tryLock(path);
  expect(lock).not.toBeNull();
  expect(tryLock(path)).toBeNull();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  lock?.release();
  lock?.release();
  const again = tryLock(path);
  expect(again).not.toBeNull();
  again?.release();
});

test("a lock on a file that was removed keeps nobody out, and a new one is on the new file", () => {
  const path = join(scratch, "lock");
  const first = tryLock(path);
  unlinkSync(path);
  const second = tryLock(path);
  expect(second).not.toBeNull();
  expect(tryLock(path)).toBeNull();
  first?.release();
  second?.release();
});

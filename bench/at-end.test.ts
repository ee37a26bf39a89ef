import { expect, test } from "vitest";
import { AtEnd } from "./at-end.ts";

test("is done newest first, once, whatever fails", async () => {
  const done: string[] = [];
  const atEnd = new AtEnd();
  atEnd.add(async () => void done.push("first"));
  atEnd.add(() => Promise.reject(new Error("no second")));
  atEnd.add(async () => void done.push("third"));
  await expect(atEnd.run()).rejects.toThrow("no second");
  expect(done).toEqual(["third", "first"]);
  await atEnd.run();
  expect(done).toEqual(["third", "first"]);
});

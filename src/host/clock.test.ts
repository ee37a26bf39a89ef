import { expect, test } from "vitest";
import { createClock } from "./clock.ts";

test("a sleep that is aborted throws the signal's reason, and a later one at once", async () => {
  const clock = createClock();
  const controller = new AbortController();
  const sleep = clock.sleep(60_000, controller.signal).catch((error: unknown) => error);
  const reason = new Error("enough");
  controller.abort(reason);
  expect(await sleep).toBe(reason);
  await expect(clock.sleep(60_000, controller.signal)).rejects.toBe(reason);
});

import { expect, test } from "vitest";
import { sendDelayMs } from "./send-delay.ts";

test("percentile and largest of start less intended, by number and not by text", () => {
  const intendedNs = Float64Array.from({ length: 100 }, (_, i) => i * 10e6);
  const startNs = intendedNs.map((ns, i) => ns + (i + 1) * 1e6);
  expect(sendDelayMs({ intendedNs, startNs })).toEqual({ p95: 95, max: 100 });
});

test("no requests have no delay", () => {
  expect(sendDelayMs({ intendedNs: new Float64Array(), startNs: new Float64Array() })).toBeNull();
});

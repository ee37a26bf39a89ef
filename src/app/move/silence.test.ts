import { expect, test } from "vitest";
import { longestSilence } from "./silence.ts";

const answer = (time: string, sequence: number) =>
  `[${time}] 64 bytes from 10.80.0.11: icmp_seq=${sequence} ttl=64 time=0.2 ms`;

test("the longest time between two answers, and what was never answered in between", () => {
  const text = [
    "PING 10.80.0.11 (10.80.0.11) 56(84) bytes of data.",
    answer("100.000000", 1),
    answer("100.010000", 2),
    "[100.030000] no answer yet for icmp_seq=3",
    "[100.040000] no answer yet for icmp_seq=4",
    answer("100.260000", 5),
    answer("100.270000", 6),
  ].join("\n");
  expect(longestSilence(text)).toEqual({ longestMs: 250, unanswered: 2 });
});

test("one that never answers has no longest silence", () => {
  expect(longestSilence("PING 10.80.0.11\n[100.03] no answer yet for icmp_seq=1\n")).toBe(null);
});

import { expect, test } from "vitest";
import { compareAnswers } from "./compare-answers.ts";
import { answer, observation, question } from "./fixture.ts";

test("what agrees leaves nothing", () => {
  expect(compareAnswers(answer(), observation())).toEqual([]);
  const blocked = { outcome: "blocked", seenSource: null } as const;
  // Dropped behind the interface: the capture saw it arrive.
  expect(compareAnswers(answer(blocked), observation({ outcome: "blocked" }))).toEqual([]);
});

test("each point that differs", () => {
  expect(compareAnswers(answer(), observation({ outcome: "blocked" }))).toEqual([
    { field: "outcome", predicted: "reachable", observed: "blocked" },
  ]);
  const other = observation({ seenSource: "10.0.0.7", ttl: 63, answeredBy: "router" });
  expect(compareAnswers(answer(), other)).toEqual([
    { field: "seenSource", predicted: "10.0.0.1", observed: "10.0.0.7" },
    { field: "ttl", predicted: "64", observed: "63" },
    { field: "answeredBy", predicted: "b", observed: "router" },
  ]);
});

test("of ARP the MAC counts, in any spelling", () => {
  const arp = observation({ question: { ...question, how: { kind: "arp" } }, mac: "00:16:3e:00:00:0a", ttl: null });
  expect(compareAnswers(answer({ mac: "00:16:3E:00:00:0A" }), arp)).toEqual([]);
  expect(compareAnswers(answer({ mac: "00:16:3e:00:00:0b" }), arp).map(({ field }) => field)).toEqual(["mac"]);
  const both = { ...arp, macs: ["00:16:3e:00:00:0a", "00:16:3e:00:00:0b"] };
  expect(compareAnswers(answer({ mac: "00:16:3e:00:00:0b" }), both)).toEqual([]);
  const elsewhere = { ...both, answeredBy: "another" };
  expect(compareAnswers(answer({ mac: "00:16:3e:00:00:0b" }), elsewhere).map(({ field }) => field)).toEqual([
    "answeredBy",
  ]);
});

test("one IPv6 address has several spellings", () => {
  const seen = observation({ seenSource: "fd00::2" });
  expect(compareAnswers(answer({ seenSource: "FD00:0:0:0:0:0:0:2" }), seen)).toEqual([]);
});

test("what was not predicted agrees with nothing", () => {
  const unknown = answer({ outcome: "unknown", unknown: "tc filter on eth0" });
  expect(compareAnswers(unknown, observation())).toEqual([
    { field: "unknown", predicted: "tc filter on eth0", observed: "reachable" },
  ]);
});

test("a datagram whose refusal was sent and lost has arrived; without a refusal it has not", () => {
  const udp = { ...question, how: { kind: "udp", port: 53 } } as const;
  const sighted = { namespace: "ns-b", interface: "eth0", direction: "out", vlanTag: null, reply: true } as const;
  const lost = { question: udp, outcome: "blocked", reply: null } as const;
  expect(compareAnswers(answer(), observation({ ...lost, seenIn: [sighted] }))).toEqual([]);
  expect(compareAnswers(answer(), observation({ ...lost, seenIn: [{ ...sighted, reply: false }] }))).toHaveLength(1);
  expect(compareAnswers(answer(), observation({ outcome: "blocked", reply: null, seenIn: [sighted] }))).toHaveLength(1);
});

test("of a duplicate address only that several answer can be predicted", () => {
  const stop = {
    cause: "duplicate-address",
    namespace: "a",
    object: "",
    reason: "",
    remedy: "",
    onReply: false,
  } as const;
  const twice = answer({ outcome: "blocked", stop });
  const arp = { question: { ...question, how: { kind: "arp" } } } as const;
  expect(compareAnswers(twice, observation())).toEqual([]);
  expect(compareAnswers(twice, observation({ ...arp, macs: ["a", "b"] }))).toEqual([]);
  expect(compareAnswers(twice, observation({ ...arp, macs: ["a"] })).map(({ field }) => field)).toEqual(["mac"]);
});

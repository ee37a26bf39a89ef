import type { Observation } from "../model/observation.ts";
import type { Answer, Question, Stop } from "../model/reachability.ts";
import type { NetRow } from "./net-row.ts";

export const STOP: Stop = {
  cause: "nft-rule",
  namespace: "cloison.nat.host",
  object: "inet cloison-nat forward: tcp dport 80 drop # handle 7",
  reason: "the rule drops it",
  remedy: "nft delete rule inet cloison-nat forward handle 7",
  onReply: false,
};

export function answer(outcome: Answer["outcome"], more: Partial<Answer> = {}): Answer {
  const reached = outcome === "reachable";
  return {
    outcome,
    seenSource: reached ? "10.0.0.1" : null,
    ttl: reached ? 64 : null,
    hops: [],
    mac: null,
    answeredBy: reached ? "b" : null,
    stop: outcome === "blocked" ? STOP : null,
    unknown: outcome === "unknown" ? "tc filter on eth0 ingress: bpf" : null,
    steps: [],
    ...more,
  };
}

export function row(from: string, to: string, how: Question["how"], outcome: Answer["outcome"]): NetRow {
  return { question: { from, to, address: "10.0.0.2", how }, answer: answer(outcome) };
}

/** The row, with what a packet met; a difference in the outcome makes it a mismatch. */
export function observed(of: NetRow, outcome: Observation["outcome"]): NetRow {
  const observation: Observation = {
    question: of.question,
    outcome,
    seenSource: null,
    ttl: null,
    mac: null,
    macs: [],
    answeredBy: null,
    answeredIn: null,
    seenIn: [
      { namespace: "cloison.nat.a", interface: "eth0", direction: "out", vlanTag: null, reply: false },
      { namespace: "cloison.nat.host", interface: "trunk0", direction: "in", vlanTag: 10, reply: false },
    ],
    vlan: {},
    reply: null,
    icmpError: null,
    sendError: null,
    tries: 3,
  };
  const agrees = of.answer.outcome === outcome;
  const mismatches = agrees ? [] : [{ field: "outcome", predicted: of.answer.outcome, observed: outcome } as const];
  return { ...of, observation, mismatches };
}

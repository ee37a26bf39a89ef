import type { Mismatch, Observation } from "../model/observation.ts";
import type { Answer, Question } from "../model/reachability.ts";

/** A question with its predicted answer and, when packets were sent, what they met. */
export interface NetRow {
  question: Question;
  answer: Answer;
  observation?: Observation;
  mismatches?: readonly Mismatch[];
}

/** `agrees`: as predicted, or only predicted. `open`: nothing definite was predicted. */
export type RowState = "agrees" | "differs" | "open";

export function stateOf({ answer, mismatches = [] }: NetRow): RowState {
  if (answer.outcome === "unknown") return "open";
  return mismatches.length > 0 ? "differs" : "agrees";
}

/** What happens in fact: as observed, else as predicted. */
export function outcomeOf({ answer, observation }: NetRow): Answer["outcome"] {
  return observation?.outcome ?? answer.outcome;
}

/** `ping`, `arp`, `tcp 80`. */
export function howText({ how, size, dontFragment }: Question): string {
  const kind = how.kind === "icmp" ? "ping" : how.kind === "arp" ? "arp" : `${how.kind} ${how.port}`;
  const large = size === undefined ? "" : ` of ${size} bytes`;
  return `${kind}${large}${dontFragment === true ? ", not to be fragmented" : ""}`;
}

/** `web → outside, 10.23.0.252, tcp 80`. */
export function questionText(question: Question): string {
  return `${question.from} → ${question.to}, ${question.address}, ${howText(question)}`;
}

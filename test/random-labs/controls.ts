import type { Question } from "../../src/model/reachability.ts";
import { lastAsker } from "./questions.ts";
import type { Asked, Row } from "./ask-lab.ts";

/**
 * Answered questions that show, asked once more, that silence was not a dead network: one of every endpoint that was
 * answered and to every one that answered, and for each machine in which somebody's packet stopped one of the same asker
 * that passed there.
 */
export function controlsOf(rows: readonly Row[]): Question[] {
  const answered = rows.filter(
    ({ answer, observation }) => answer.outcome === "reachable" && observation.outcome === "reachable",
  );
  const chosen = new Map<string, Question>();
  for (const { question, observation } of answered) {
    chosen.set(`from ${question.from}`, question);
    chosen.set(`to ${question.to}`, question);
    for (const place of passed(question.from, observation)) chosen.set(place, question);
  }
  const wanted = new Set(rows.flatMap(placeOfStop));
  return [...new Set([...chosen].filter(([key]) => !key.startsWith("at ") || wanted.has(key)).map(([, one]) => one))];
}

const placeKey = (asker: string, namespace: string) => `at ${asker} ${namespace}`;

function passed(asker: string, { seenIn }: Row["observation"]): string[] {
  return [...new Set(seenIn.map(({ namespace }) => placeKey(asker, namespace)))];
}

function placeOfStop({ question, answer: { stop } }: Row): string[] {
  return stop === null ? [] : [placeKey(question.from, stop.namespace)];
}

/** What shows that a blocked question was not merely late. */
export const CLOSINGS = [
  "mended", // the same question was answered when the lab was mended
  "passed", // later another question of the same asker was answered, and passed the machine in which this one stops
  "told", // the asker was told so, by its own kernel or by an ICMP error
  "answered", // another question of the asker was answered later; nothing of the asker's gets through that machine
  "lonely", // nobody answers the asker anything, by the walk not even when the lab is mended
  "open", // none of these
] as const;
export type Closing = (typeof CLOSINGS)[number];

/** For each blocked question of a lab, the first that holds. */
export function closingsOf({ rows, again, mended }: Asked): Closing[] {
  const came = (all: readonly Row[]) => all.filter(({ observation }) => observation.outcome === "reachable");
  const same = new Set(came(mended).map(({ question }) => textOf(question)));
  const later = [...came(again), ...came(mended)];
  const places = new Set(later.flatMap(({ question, observation }) => passed(question.from, observation)));
  const alive = new Set(later.map(({ question: { from } }) => from));
  const asking = new Set([...again, ...mended].map(({ question: { from } }) => from));
  return rows.filter(isBlocked).map((row): Closing => {
    const { question, observation } = row;
    if (same.has(textOf(question))) return "mended";
    if (placeOfStop(row).some((place) => places.has(place))) return "passed";
    if (observation.sendError !== null || observation.icmpError !== null) return "told";
    if (alive.has(question.from)) return "answered";
    return asking.has(question.from) ? "open" : "lonely";
  });
}

const textOf = (question: Question) => JSON.stringify(question);

/** The walk says where a packet stops, and it was last seen elsewhere. */
export function isStray(lab: Pick<Asked, "state" | "plan">, row: Row): boolean {
  return row.answer.outcome === "blocked" && isBlocked(row) && sightingOf(lab, row) === "elsewhere";
}

export function isBlocked({ observation }: Row): boolean {
  return observation.outcome === "blocked";
}

/** What a frame stops at before it enters the machine that the walk names, or goes on from there to those whom it does not concern. */
const BEFORE_OR_BEHIND = new Set(["mtu", "link-down", "duplicate-address", "wrong-neighbour"]);

/** Where the packet of a blocked question was captured last: in the machine in which the walk stops it, or not. */
export type Sighting = "at-stop" | "unsent" | "elsewhere";

/**
 * `unsent`: it left nobody, since its sender had no route or asked in vain for a MAC. A packet that waits for the MAC of the
 * next hop is where that is asked for, whichever machine stops the question.
 */
export function sightingOf({ state, plan }: Pick<Asked, "state" | "plan">, row: Row): Sighting {
  const {
    question,
    answer: { stop },
    observation: { seenIn },
  } = row;
  if (stop === null) return "elsewhere";
  if (seenIn.length === 0) return "unsent";
  const isIn = (namespace: string | null | undefined) => namespace === stop.namespace;
  const asker = plan.endpoints.find(({ name }) => name === question.from)?.namespace;
  // It left, and nobody answered; who sends frames as they are does not see them leave.
  if (question.how.kind === "arp" && isIn(asker)) return "at-stop";
  // A broadcast is seen wherever it goes; an answer on its way back has been where its request was.
  if (question.how.kind === "arp" || stop.onReply) {
    if (seenIn.some(({ namespace }) => isIn(namespace)) || BEFORE_OR_BEHIND.has(stop.cause)) return "at-stop";
    return "elsewhere";
  }
  const entered = seenIn.filter(({ reply, direction }) => !reply && direction === "in").at(-1)?.namespace;
  const last = entered ?? seenIn[0]?.namespace;
  if (isIn(last) || BEFORE_OR_BEHIND.has(stop.cause)) return "at-stop";
  return lastAsker(state, plan, question) === last ? "at-stop" : "elsewhere";
}

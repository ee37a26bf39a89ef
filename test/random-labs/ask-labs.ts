import fc from "fast-check";
import type { Host } from "../../src/host/host.ts";
import { questionText } from "../../src/report/net-row.ts";
import { compareAnswers } from "../../src/verify/compare-answers.ts";
import { STOP_CAUSES, type StopCause } from "../../src/model/reachability.ts";
import { WALK_RULES, type WalkRule } from "../../src/walk/walk-rules.ts";
import { answersFor, askLab, type Asked } from "./ask-lab.ts";
import { randomLab } from "./random-lab.ts";

/** What came of many random labs. */
export interface Outcome {
  questions: number;
  /** Questions of which the real packet got no answer. */
  blocked: number;
  /** Readable, a few for each lab, with what the lab was; none: every prediction was right. */
  mismatches: string[];
  /** Questions to which the walk says that it does not know: it met something that it does not model. */
  unknown: number;
  /** Blocked questions of labs in which, at the end, an answer that had come did not come any more. */
  uncontrolled: number;
  /** Packets that were sent and stopped, and were not last seen where the walk stops them. */
  strayed: string[];
  causes: Record<StopCause, number>;
  /** Of each rule: answers that become wrong without it. */
  wrongWithout: Record<WalkRule, number>;
}

/** Asks every question of `count` random labs, drawn from the seed, by real packets, and compares with the walk. */
export async function askLabs(
  host: Host,
  options: {
    program: [string, ...string[]];
    seed: number;
    count: number;
    vlans: boolean;
    name: string;
    say(line: string): void;
  },
): Promise<Outcome> {
  const outcome: Outcome = {
    questions: 0,
    blocked: 0,
    mismatches: [],
    unknown: 0,
    uncontrolled: 0,
    strayed: [],
    causes: zeros(STOP_CAUSES),
    wrongWithout: zeros(WALK_RULES),
  };
  const labs = fc.sample(randomLab(options.vlans), { seed: options.seed, numRuns: options.count });
  for (const [i, lab] of labs.entries()) {
    const asked = await askLab(host, options.program, `${options.name}${i}`, lab);
    add(outcome, asked);
    const wrong = asked.rows.filter(isWrong).length;
    const modes = lab.networks.map(({ mode }) => mode).join(" ");
    const faults = asked.deeds.map((deed) => deed.split("\n")[0]).join(", ");
    options.say(
      `lab ${i + 1} of ${options.count}, seed ${options.seed}: ${modes}; ${lab.domains.length} domains; ${faults || "no faults"}; ${asked.rows.length} questions, ${wrong} mismatches`,
    );
  }
  return outcome;
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

function add(outcome: Outcome, asked: Asked): void {
  const blocked = asked.rows.filter(({ observation }) => observation.outcome === "blocked");
  outcome.questions += asked.rows.length;
  outcome.blocked += blocked.length;
  if (!asked.controlled) outcome.uncontrolled += blocked.length;
  for (const { answer } of asked.rows) {
    if (answer.stop !== null) outcome.causes[answer.stop.cause]++;
    if (answer.outcome === "unknown") outcome.unknown++;
  }
  const wrong = asked.rows.filter(isWrong);
  if (wrong.length > 0) {
    const lines = wrong.slice(0, WRONG_SHOWN).map(rowText);
    outcome.mismatches.push([`${wrong.length} of ${asked.plan.lab}:`, ...lines, asked.file, ...asked.deeds].join("\n"));
  }
  outcome.strayed.push(...strayed(asked));
  countMutations(outcome, asked);
}

/** Of one lab; the first tell what is the matter. */
const WRONG_SHOWN = 6;

type Row = Asked["rows"][number];

function isWrong({ answer, mismatches }: Row): boolean {
  return answer.outcome !== "unknown" && mismatches.length > 0;
}

function rowText({ question, answer: { stop }, observation, mismatches }: Row): string {
  const differing = mismatches
    .map(({ field, predicted, observed }) => `${field} ${predicted}, is ${observed}`)
    .join("; ");
  const stopped = stop === null ? "" : `; stop at ${stop.object} in ${stop.namespace} (${stop.cause})`;
  const last = observation.seenIn.at(-1);
  const seen = last === undefined ? "nowhere" : `${last.direction} ${last.interface} of ${last.namespace}`;
  const told = JSON.stringify([observation.reply, observation.icmpError, observation.sendError]);
  return `  ${questionText(question)}: predicted ${differing}${stopped}; last seen ${seen}; ${told}`;
}

/** What a frame stops at before it enters the machine that the walk names, or goes on from there to those whom it does not concern. */
const ELSEWHERE: readonly StopCause[] = ["mtu", "link-down", "duplicate-address", "wrong-neighbour"];

/**
 * Requests that left their sender, were stopped on the way, and were last seen to enter another machine than the one in which
 * the walk stops them. One that never entered any was stopped while its sender asked for a MAC.
 */
function strayed({ rows }: Asked): string[] {
  return rows.flatMap(({ question, answer: { stop }, observation, mismatches }) => {
    if (stop === null || stop.onReply || question.how.kind === "arp" || mismatches.length > 0) return [];
    const entered = observation.seenIn.filter(({ reply, direction }) => !reply && direction === "in").at(-1)?.namespace;
    if (entered === undefined || entered === stop.namespace || ELSEWHERE.includes(stop.cause)) return [];
    return [`${questionText(question)}: ${stop.cause} in ${stop.namespace}, last seen in ${entered}`];
  });
}

/** A rule matters when predictions that were right are wrong without it. */
function countMutations({ wrongWithout }: Outcome, { rows, state, plan }: Asked): void {
  const right = rows.filter(({ mismatches }) => mismatches.length === 0);
  const questions = right.map(({ question }) => question);
  for (const without of WALK_RULES) {
    const answers = answersFor(state, plan, questions, { without });
    right.forEach(({ observation }, i) => {
      const answer = answers[i];
      if (answer !== undefined && compareAnswers(answer, observation).length > 0) wrongWithout[without]++;
    });
  }
}

import type { Host } from "../../src/host/host.ts";
import { questionText } from "../../src/report/net-row.ts";
import { compareAnswers } from "../../src/verify/compare-answers.ts";
import { STOP_CAUSES, type StopCause } from "../../src/model/reachability.ts";
import { WALK_RULES, type WalkRule } from "../../src/walk/walk-rules.ts";
import { askLab, isWrong, type Asked, type Row } from "./ask-lab.ts";
import { CLOSINGS, closingsOf, isBlocked, isStray, sightingOf, type Closing } from "./controls.ts";
import { answersFor } from "./questions.ts";
import { drawLabs } from "./draw-labs.ts";

/** What came of many random labs. */
export interface Outcome {
  questions: number;
  /** Labs that could not be brought up, asked, mended or taken down, and why. */
  failed: string[];
  /** Questions of which the real packet got no answer. */
  blocked: number;
  /** Readable, a few for each lab, with what the lab was; none: every prediction was right. */
  mismatches: string[];
  /** Questions that were answered as predicted only when they were asked alone. */
  alone: string[];
  /** Questions to which the walk says that it does not know: it met something that it does not model. */
  unknown: number;
  /** What shows that blocked questions were not merely late. */
  closings: Record<Closing, number>;
  /** Answers that had come, and did not come when they were asked for again. */
  lost: string[];
  /** Blocked questions whose packet was captured where the walk stops it. */
  seenAtStop: number;
  /** Blocked questions whose packet was last captured elsewhere than where the walk stops it. */
  strayed: string[];
  /** What `net repair` left. */
  unmended: string[];
  causes: Record<StopCause, number>;
  /** Of each rule: answers that become wrong without it. */
  wrongWithout: Record<WalkRule, number>;
}

interface Options {
  program: [string, ...string[]];
  seed: number;
  /** Labs of the seed: from this one, so many. */
  first?: number;
  count: number;
  vlans: boolean;
  name: string;
  say(line: string): void;
}

/** Labs at the same time: while the questions of one wait for answers that do not come, another is built. */
const AT_ONCE = 4;

/** Asks every question of `count` random labs, drawn from the seed, by real packets, and compares with the walk. */
export async function askLabs(host: Host, options: Options): Promise<Outcome> {
  const { seed, first = 0, count } = options;
  const outcome: Outcome = {
    questions: 0,
    failed: [],
    blocked: 0,
    mismatches: [],
    alone: [],
    unknown: 0,
    closings: zeros(CLOSINGS),
    lost: [],
    seenAtStop: 0,
    strayed: [],
    unmended: [],
    causes: zeros(STOP_CAUSES),
    wrongWithout: zeros(WALK_RULES),
  };
  const labs = drawLabs({ seed, count: first + count, vlans: options.vlans });
  const waiting = [...labs.entries()].slice(first).values();
  const work = async () => {
    for (const [i, lab] of waiting) {
      const told = `lab ${i + 1}, seed ${seed}`;
      try {
        const asked = await askLab(host, options.program, `${options.name}${i}`, lab);
        add(outcome, asked);
        options.say(`${told}: ${describe(asked)}`);
      } catch (error) {
        // The others tell the same as without it.
        outcome.failed.push(`${told}: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcome;
}

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

function describe({ plan, deeds, rows, mended }: Asked): string {
  const modes = plan.networks.map(({ mode }) => mode).join(" ");
  const faults = deeds.map((deed) => deed.split("\n")[0]).join(", ");
  const blocked = rows.filter(isBlocked).length;
  const wrong = rows.filter(isWrong).length;
  return `${modes}; ${plan.domains.length} domains; ${faults || "no faults"}; ${rows.length} questions, ${blocked} blocked, ${mended.length} of them mended, ${wrong} wrong`;
}

function add(outcome: Outcome, asked: Asked): void {
  const { rows, again, mended, plan } = asked;
  const blocked = rows.filter(isBlocked);
  outcome.questions += rows.length;
  outcome.blocked += blocked.length;
  for (const { answer } of rows) {
    if (answer.stop !== null) outcome.causes[answer.stop.cause]++;
    if (answer.outcome === "unknown") outcome.unknown++;
  }
  const wrong = [...rows, ...again, ...mended].filter(isWrong);
  if (wrong.length > 0) {
    const lines = wrong.slice(0, WRONG_SHOWN).map(rowText);
    outcome.mismatches.push([`${wrong.length} of ${plan.lab}:`, ...lines, asked.file, ...asked.deeds].join("\n"));
  }
  for (const row of [...rows, ...again, ...mended])
    if (row.among !== null && !isWrong(row)) outcome.alone.push(`${plan.lab}: ${rowText({ ...row, ...row.among })}`);
  outcome.lost.push(...again.filter(isBlocked).map(rowText));
  outcome.unmended.push(...asked.left.map((line) => [`${plan.lab}: ${line}`, ...asked.deeds].join("\n")));
  for (const closing of closingsOf(asked)) outcome.closings[closing]++;
  for (const row of blocked.filter(({ answer }) => answer.outcome === "blocked")) {
    if (isStray(asked, row)) outcome.strayed.push(`${plan.lab}: ${rowText(row)}`);
    else if (sightingOf(asked, row) === "at-stop") outcome.seenAtStop++;
  }
  countMutations(outcome, asked);
}

/** Of one lab; the first tell what is the matter. */
const WRONG_SHOWN = 6;

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

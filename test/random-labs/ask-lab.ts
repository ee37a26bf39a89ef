import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../src/host/host.ts";
import { observeLab } from "../../src/lab/observe-lab.ts";
import { defaultPaths } from "../../src/lab/paths.ts";
import type { NetworkState } from "../../src/model/network-state.ts";
import type { Mismatch, Observation } from "../../src/model/observation.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import type { Answer, Question } from "../../src/model/reachability.ts";
import { compareAnswers } from "../../src/verify/compare-answers.ts";
import { observeAnswers } from "../../src/verify/observe-answers.ts";
import { controlsOf, isStray } from "./controls.ts";
import { undoOfForeign } from "./deed.ts";
import { carryOut, commit } from "./faults.ts";
import { answersFor, askedOf } from "./questions.ts";
import { labFile, type RandomLab } from "./random-lab.ts";

export interface Row {
  question: Question;
  answer: Answer;
  observation: Observation;
  mismatches: Mismatch[];
  /**
   * When it was asked among others it was answered, or stopped, otherwise than predicted: they teach the kernel neighbours,
   * and a walk begins with empty tables. What is here came when it was asked alone.
   */
  among: { observation: Observation; mismatches: Mismatch[] } | null;
}

export interface Asked {
  /** What the lab was, and what was done to it. */
  file: string;
  deeds: string[];
  plan: LabPlan;
  /** As it was before the questions were asked. */
  state: NetworkState;
  rows: Row[];
  /** Answered questions, asked once more when all others were over. */
  again: Row[];
  /** In the mended lab: blocked questions that the walk says are answered there. */
  mended: Row[];
  /** What `net repair` could not mend. */
  left: string[];
}

/**
 * Brings a random lab up, does its faults, reads the kernel, predicts, asks with real packets; then mends it, and asks what
 * was blocked once more; takes it down.
 * @param program the command line, `cloison` or its bundle behind node
 */
export async function askLab(
  host: Host,
  program: [string, ...string[]],
  name: string,
  random: RandomLab,
): Promise<Asked> {
  const folder = mkdtempSync(join(tmpdir(), "cloison-random-"));
  const env = { CLOISON_STATE: join(folder, "state") };
  const cloison = (...args: string[]) => host.processes.must({ argv: [...program, "--json", ...args], env });
  try {
    const path = join(folder, "lab.yaml");
    const file = JSON.stringify(labFile(name, random), null, 1);
    writeFileSync(path, file);
    try {
      const plan = JSON.parse(await cloison("up", path)) as LabPlan;
      const lab = { host, plan };
      const { committed } = commit(plan, await observe(lab), random.faults);
      const deeds: string[] = [];
      for (const { fault, deeds: done } of committed) {
        deeds.push([fault.kind, ...(await carryOut(host, done))].join("\n"));
      }
      const asked = askedOf(plan);
      const { state, rows } = await ask(lab, asked);
      const again = await ask(lab, controlsOf(rows));

      const foreign = committed.flatMap((one) => one.deeds).toReversed();
      await carryOut(
        host,
        foreign.flatMap((deed) => undoOfForeign(plan, deed) ?? []),
      );
      const repaired = await host.processes.run({ argv: [...program, "--json", "net", "repair", name], env });
      const left =
        repaired.code === 0 ? (JSON.parse(repaired.stdout) as { left: string[] }).left : [repaired.stderr.trim()];
      const mended = await askMended(lab, rows, again.rows);
      return { file, deeds, plan, state, rows, again: again.rows, mended, left };
    } finally {
      await cloison("down", name);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Lab {
  host: Host;
  plan: LabPlan;
}

function observe({ host, plan }: Lab): Promise<NetworkState> {
  return observeLab({ host, paths: defaultPaths(process.env) }, plan);
}

async function ask(lab: Lab, asked: readonly Question[]): Promise<{ state: NetworkState; rows: Row[] }> {
  const state = await observe(lab);
  return { state, rows: await observeRows(lab, state, asked, answersFor(state, lab.plan, asked)) };
}

/** What was blocked, and is answered now; and a question of each endpoint that has had no answer since. */
async function askMended(lab: Lab, rows: readonly Row[], again: readonly Row[]): Promise<Row[]> {
  const questions = rows.map(({ question }) => question);
  const state = await observe(lab);
  const answers = answersFor(state, lab.plan, questions);
  const reachable = rows.flatMap(({ question, observation }, i) => {
    const answer = answers[i];
    return answer?.outcome === "reachable" ? [{ question, answer, observation }] : [];
  });
  const blocked = reachable.filter(({ observation }) => observation.outcome === "blocked");
  const heard = new Set([...again, ...blocked].map(({ question }) => question.from));
  const first = reachable.filter(({ question: { from } }) => !heard.has(from) && heard.add(from));
  const asked = [...blocked, ...first];
  return observeRows(
    lab,
    state,
    asked.map(({ question }) => question),
    asked.map(({ answer }) => answer),
  );
}

/** Of a lab's questions at most: a walk that is wrong about more is wrong. */
const ASKED_ALONE = 25;

/** Asks all together, and what then was not as predicted once more, each alone, from neighbour tables as they were. */
async function observeRows(
  { host, plan }: Lab,
  state: NetworkState,
  asked: readonly Question[],
  answers: readonly Answer[],
): Promise<Row[]> {
  const observed = (some: readonly Question[], parallel?: number) =>
    observeAnswers(host, plan.endpoints, Object.keys(plan.network), some, parallel === undefined ? {} : { parallel });
  const observations = await observed(asked);
  const rows = asked.map((question, i) => rowOf(question, answers[i], observations[i]));
  const odd = rows.filter((row) => isWrong(row) || isStray({ state, plan }, row)).slice(0, ASKED_ALONE);
  const again = await observed(
    odd.map(({ question }) => question),
    1,
  );
  const alone = new Map(
    odd.map((row, i) => {
      const { question, answer, observation, mismatches } = row;
      return [row, { ...rowOf(question, answer, again[i]), among: { observation, mismatches } }];
    }),
  );
  return rows.map((row) => alone.get(row) ?? row);
}

function rowOf(question: Question, answer: Answer | undefined, observation: Observation | undefined): Row {
  if (answer === undefined || observation === undefined) throw new Error("a question without an answer");
  return { question, answer, observation, mismatches: compareAnswers(answer, observation), among: null };
}

export function isWrong({ answer, mismatches }: Row): boolean {
  return answer.outcome !== "unknown" && mismatches.length > 0;
}

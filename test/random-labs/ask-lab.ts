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
import { compileNetwork } from "../../src/walk/compile-network.ts";
import { questions } from "../../src/walk/questions.ts";
import { walk } from "../../src/walk/walk.ts";
import { commit } from "./faults.ts";
import { labFile, type RandomLab } from "./random-lab.ts";

/** Of a frame that nothing on the way may cut: a link with a smaller MTU shows. */
const FULL_SIZE = 1500;

export interface Asked {
  /** What the lab was, and what was done to it. */
  file: string;
  deeds: string[];
  plan: LabPlan;
  /** As it was before the questions were asked. */
  state: NetworkState;
  /** One answer that every endpoint had got was asked for once more at the end, and came: silence before was no dead network. */
  controlled: boolean;
  rows: { question: Question; answer: Answer; observation: Observation; mismatches: Mismatch[] }[];
}

/**
 * Brings a random lab up, does its faults, reads the kernel, predicts, asks with real packets, takes it down.
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
      const deeds: string[] = [];
      for (const fault of random.faults) {
        const done = await commit(host, plan, fault);
        if (done !== null) deeds.push(`${fault.kind}\n${done}`);
      }
      return { file, deeds, plan, ...(await ask(host, plan)) };
    } finally {
      await cloison("down", name);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(host: Host, plan: LabPlan): Promise<Pick<Asked, "state" | "rows" | "controlled">> {
  const namespaces = Object.keys(plan.network);
  const state = await observeLab({ host, paths: defaultPaths(process.env) }, plan);
  const asked = [...questions(plan.endpoints), ...fullSize(questions(plan.endpoints))];
  const observations = await observeAnswers(host, plan.endpoints, namespaces, asked, {});
  const answers = answersFor(state, plan, asked);
  const rows = asked.flatMap((question, i) => {
    const [answer, observation] = [answers[i], observations[i]];
    if (answer === undefined || observation === undefined) throw new Error("a question without an answer");
    return [{ question, answer, observation, mismatches: compareAnswers(answer, observation) }];
  });
  const controls = controlsOf(rows);
  const again = await observeAnswers(host, plan.endpoints, namespaces, controls, {});
  return { state, rows, controlled: again.every(({ outcome }) => outcome === "reachable") };
}

/** For every endpoint that asked and was answered, one such question; and one for every endpoint that answered. */
function controlsOf(rows: Asked["rows"]): Question[] {
  const answered = rows
    .filter(({ observation }) => observation.outcome === "reachable")
    .map(({ question }) => question);
  const byAsker = new Map(answered.map((question) => [question.from, question]));
  const byAsked = new Map(answered.map((question) => [question.to, question]));
  return [...new Set([...byAsker.values(), ...byAsked.values()])];
}

/** The walk's answers, with a rule of it switched off where one is named. */
export function answersFor(
  state: NetworkState,
  plan: LabPlan,
  asked: readonly Question[],
  without?: Parameters<typeof compileNetwork>[1],
): Answer[] {
  const network = compileNetwork(state, without);
  return asked.map((question) => walk(network, plan.endpoints, question));
}

/** Of every tenth ping one more with a full frame that may not be cut. */
function fullSize(all: readonly Question[]): Question[] {
  return all
    .filter(({ how }) => how.kind === "icmp")
    .filter((_, i) => i % 10 === 0)
    .map((question) => ({ ...question, size: FULL_SIZE, dontFragment: true }));
}

import type { LabPlan } from "../../model/plan.ts";
import type { Answer, Question } from "../../model/reachability.ts";
import { formatChange } from "../../netstate/change.ts";
import { whyText } from "../../report/net-why.ts";
import { createPainter } from "../../report/painter.ts";
import type { Terminal } from "../context.ts";
import { compileNetwork } from "../../walk/compile-network.ts";
import { walk } from "../../walk/walk.ts";
import type { AppContext } from "../context.ts";
import { requireRoot } from "../packages.ts";
import { confirmWalk, type Confirmation } from "./confirm-walk.ts";
import { culprits } from "./culprits.ts";
import { driftLines } from "./diff.ts";
import { readDrift } from "./drift.ts";
import { plannedNetwork, planOf, planOfRunning } from "./lab-network.ts";
import { questionOf } from "./target.ts";

/** What `net why` tells. */
export interface Told {
  question: Question;
  /** What was walked: the kernel's state as read now, or the plan. */
  walked: "observed" | "planned";
  answer: Answer;
  /** What the plan would give; null: the plan itself was walked. */
  planned: Answer["outcome"] | null;
  /** Differences from the plan that are to blame, a line each; mended, the answer is the plan's. */
  blame: string[];
  /** Interfaces inside guests on the way: what a guest says of itself. */
  selfReported: string[];
  confirmation: Confirmation | null;
}

interface WhyOptions {
  /** Walks the plan, instead of what the kernel has. */
  planned: boolean;
  /** Sends one packet under nftables' tracing, too. */
  confirm: boolean;
  /** Bytes of the IP packet, not to be fragmented; null: a small one. */
  size: number | null;
  signal: AbortSignal;
}

/** The way of one packet through a lab, and the object that stops it. */
export async function why(
  app: AppContext,
  nameOrFile: string,
  from: string,
  target: string,
  options: WhyOptions,
): Promise<Told> {
  const plan = await (options.planned ? planOf : planOfRunning)(app, nameOrFile);
  const wanted = plannedNetwork(plan);
  const question = withSize(questionOf(plan, from, target), options.size);
  if (options.planned) {
    const answer = walk(compileNetwork(wanted), plan.endpoints, question, { trace: true });
    const selfReported: string[] = [];
    return { question, walked: "planned", answer, planned: null, blame: [], selfReported, confirmation: null };
  }
  requireRoot(app, "net why");
  const { observed, ...drift } = await readDrift(app, plan);
  const answer = walk(compileNetwork(observed), plan.endpoints, question, { trace: true });
  const planned = walk(compileNetwork(wanted), plan.endpoints, question).outcome;
  const changes = culprits(observed, wanted, drift.changes, plan.endpoints, question);
  // What is no configuration can't be carried out on paper: it is told when the answers differ.
  const others = answer.outcome === planned ? [] : driftLines({ ...drift, changes: [] });
  return {
    question,
    walked: "observed",
    answer,
    planned,
    blame: [...changes.map(formatChange), ...(changes.length === 0 ? others : [])],
    selfReported: guestsOnTheWay(plan, answer),
    confirmation: options.confirm ? await confirmWalk(app, plan, question, answer, options.signal) : null,
  };
}

function withSize(question: Question, size: number | null): Question {
  return size === null ? question : { ...question, size, dontFragment: true };
}

function guestsOnTheWay({ domains }: LabPlan, { steps }: Answer): string[] {
  const passed = new Set(steps.map(({ namespace }) => namespace));
  return domains.filter(({ namespace }) => passed.has(namespace)).map(({ name }) => name);
}

/** What `net why` prints. */
export function toldText(told: Told, terminal: Terminal): string {
  return whyText(told, createPainter(terminal.colour));
}

/** Whether the packet gets through, and the walk is right about it. */
export function isGood({ answer, confirmation }: Told): boolean {
  return answer.outcome === "reachable" && (confirmation?.disagreements.length ?? 0) === 0;
}

import type { NetworkState } from "../../src/model/network-state.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import type { Answer, Question } from "../../src/model/reachability.ts";
import { compileNetwork, type CompileOptions } from "../../src/walk/compile-network.ts";
import { questions } from "../../src/walk/questions.ts";
import { walk } from "../../src/walk/walk.ts";

/** Of a frame that nothing on the way may cut: a link with a smaller MTU shows. */
const FULL_SIZE = 1500;

/** All questions of a lab; and every third ping once more with a full frame that may not be cut. */
export function askedOf({ endpoints }: LabPlan): Question[] {
  const all = questions(endpoints);
  const full = all
    .filter(({ how }) => how.kind === "icmp")
    .filter((_, i) => i % 3 === 0)
    .map((question) => ({ ...question, size: FULL_SIZE, dontFragment: true }));
  return [...all, ...full];
}

/** The walk's answers, with a rule of it switched off where one is named. Pure. */
export function answersFor(
  state: NetworkState,
  { endpoints }: LabPlan,
  asked: readonly Question[],
  options: CompileOptions = {},
): Answer[] {
  const network = compileNetwork(state, options);
  return asked.map((question) => walk(network, endpoints, question));
}

/** Where the walk says that the packet waits for a MAC that its last machine has asked for; null: it asked for none. */
export function lastAsker(state: NetworkState, { endpoints }: LabPlan, question: Question): string | null {
  const { steps } = walk(compileNetwork(state), endpoints, question, { trace: true });
  return steps.findLast(({ does, text }) => does === "arp" && text.startsWith("asks on"))?.namespace ?? null;
}

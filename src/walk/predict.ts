import type { NetworkState } from "../model/network-state.ts";
import type { Answer, Endpoint, Question } from "../model/reachability.ts";
import { compileNetwork, type CompileOptions } from "./compile-network.ts";
import { questions } from "./questions.ts";
import { walk, type WalkOptions } from "./walk.ts";

export interface Prediction {
  question: Question;
  answer: Answer;
}

/** Who reaches whom in a network state, and who does not: every question and its answer. Pure. */
export function predict(
  state: NetworkState,
  endpoints: readonly Endpoint[],
  options: WalkOptions & CompileOptions = {},
): Prediction[] {
  const network = compileNetwork(state, options);
  return questions(endpoints).map((question) => ({ question, answer: walk(network, endpoints, question, options) }));
}

import type { Observation, Mismatch } from "../../model/observation.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { withoutGuests } from "../../model/network-state.ts";
import type { LabPlan } from "../../model/plan.ts";
import type { Answer, Question } from "../../model/reachability.ts";
import { compareAnswers } from "../../verify/compare-answers.ts";
import { observeAnswers } from "../../verify/observe-answers.ts";
import { tracePacket, type TraceEvent } from "../../verify/trace-packet.ts";
import type { AppContext } from "../context.ts";

/** What a real packet met on the way that was walked. */
export interface Confirmation {
  observation: Observation;
  /** What nftables says that it did to the packet, namespace by namespace. */
  trace: TraceEvent[];
  /** Points in which the walk was wrong: a bug of the model, or the network changed meanwhile. */
  disagreements: Mismatch[];
}

/** Sends one packet under nftables' tracing, and compares what it meets with the walk. */
export async function confirmWalk(
  app: AppContext,
  plan: LabPlan,
  question: Question,
  answer: Answer,
  signal: AbortSignal,
): Promise<Confirmation> {
  const { network } = plan;
  const namespaces = Object.keys(withoutGuests(network));
  const asker = plan.endpoints.find(({ name }) => name === question.from);
  if (asker !== undefined && !namespaces.includes(asker.namespace)) {
    throw new LabError(`nobody can ask from inside ${question.from}: it has a kernel of its own`, {
      hint: `cloison exec ${plan.lab} ${question.from} runs a program that asks`,
      exit: ExitCode.usage,
    });
  }
  let observation: Observation | undefined;
  const trace = await tracePacket(
    app.host,
    namespaces,
    async () => {
      [observation] = await observeAnswers(app.host, plan.endpoints, namespaces, [question], { signal, network });
    },
    question,
  );
  if (observation === undefined) throw new Error("a question was asked, and not answered");
  return { observation, trace, disagreements: compareAnswers(answer, observation) };
}

import type { Observation, Mismatch } from "../../model/observation.ts";
import { LabError } from "../../model/error.ts";
import { withoutGuests } from "../../model/network-state.ts";
import type { LabPlan } from "../../model/plan.ts";
import type { Answer, Question } from "../../model/reachability.ts";
import { compareAnswers } from "../../verify/compare-answers.ts";
import { observeAnswers } from "../../verify/observe-answers.ts";
import { tracePacket, type TraceEvent } from "../../verify/trace-packet.ts";
import type { AppContext } from "../context.ts";
import { withGuestKernels } from "./guest-kernels.ts";

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
  let observation: Observation | undefined;
  const trace = await withGuestKernels(app, plan, new Set([question.from]), async ({ kernels, silent }) => {
    const reason = silent.get(question.from);
    if (reason !== undefined) throw new LabError(`${question.from} cannot be asked to ask: ${reason}`);
    const options = { signal, network, kernels };
    return await tracePacket(
      app.host,
      namespaces,
      async () => {
        [observation] = await observeAnswers(app.host, plan.endpoints, namespaces, [question], options);
      },
      question,
    );
  });
  if (observation === undefined) throw new Error("a question was asked, and not answered");
  return { observation, trace, disagreements: compareAnswers(answer, observation) };
}

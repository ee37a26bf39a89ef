import { resolve } from "node:path";
import type { LabPlan } from "../../model/plan.ts";
import type { Mismatch, Observation } from "../../model/observation.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { junitText } from "../../report/net-junit.ts";
import { matrixText } from "../../report/net-matrix.ts";
import { createPainter } from "../../report/painter.ts";
import type { Terminal } from "../context.ts";
import { compareAnswers } from "../../verify/compare-answers.ts";
import { observeAnswers } from "../../verify/observe-answers.ts";
import { compileNetwork } from "../../walk/compile-network.ts";
import { predict, type Prediction } from "../../walk/predict.ts";
import { walk } from "../../walk/walk.ts";
import type { AppContext } from "../context.ts";
import { requireRoot } from "../packages.ts";
import { driftLines } from "./diff.ts";
import { readDrift } from "./drift.ts";
import { withGuestKernels } from "./guest-kernels.ts";
import { findEndpoint, plannedNetwork, planOfRunning } from "./lab-network.ts";

/** A question, what the plan predicts, what the packet met, and in what both differ. */
export interface VerifiedRow extends Prediction {
  observation: Observation;
  mismatches: Mismatch[];
}

export interface Verified {
  lab: string;
  rows: VerifiedRow[];
  /** What no packet shows: servers that do not run, leases that have not come. */
  findings: string[];
  /** Questions of guests that could not be asked to ask them; `findings` says why. */
  notAsked: number;
  /** Guests that asked by kernels of their own: what those were told is what they say, checked against their wires. */
  selfReported: string[];
  /** No mismatch and no finding. */
  agrees: boolean;
}

/** Bytes of an IP packet that fills an Ethernet frame. */
const FULL_SIZE = 1500;

interface VerifyOptions {
  /** Only questions that this endpoint asks; null: all. */
  from: string | null;
  /** Only questions about this endpoint. */
  to: string | null;
  signal: AbortSignal;
  onProgress: (done: number, of: number) => void;
}

/** Sends the real packets of a lab's every question, and compares with what its plan predicts. */
export async function verifyLab(app: AppContext, nameOrFile: string, options: VerifyOptions): Promise<Verified> {
  requireRoot(app, "net verify");
  const plan = await planOfRunning(app, nameOrFile);
  for (const name of [options.from, options.to]) if (name !== null) findEndpoint(plan, name);
  const meant = withFullSize(plan, predict(plannedNetwork(plan), plan.endpoints)).filter(
    ({ question }) =>
      (options.from === null || question.from === options.from) && (options.to === null || question.to === options.to),
  );
  if (meant.length === 0) throw new LabError("there is nothing to ask between these two", { exit: ExitCode.usage });
  const askers = new Set(meant.map(({ question }) => question.from));
  return await withGuestKernels(app, plan, askers, async ({ kernels, silent }) => {
    const predictions = meant.filter(({ question }) => !silent.has(question.from));
    const observations = await observeAnswers(
      app.host,
      plan.endpoints,
      Object.keys(plan.network),
      predictions.map(({ question }) => question),
      { signal: options.signal, onProgress: options.onProgress, network: plan.network, kernels },
    );
    const rows = predictions.flatMap((prediction, i) => {
      const observation = observations[i];
      if (observation === undefined) return [];
      return [{ ...prediction, observation, mismatches: compareAnswers(prediction.answer, observation) }];
    });
    const { programs, leases, poisoned } = await readDrift(app, plan);
    const findings = [
      ...[...silent].map(([name, reason]) => `${name} cannot be asked to ask: ${reason}`),
      ...driftLines({ changes: [], programs, leases, poisoned, foreign: [] }),
    ];
    const agrees = findings.length === 0 && rows.every(({ mismatches }) => mismatches.length === 0);
    const selfReported = plan.endpoints
      .filter(({ name, namespace }) => askers.has(name) && kernels.has(namespace))
      .map(({ name }) => name);
    return { lab: plan.lab, rows, findings, notAsked: meant.length - predictions.length, selfReported, agrees };
  });
}

/** With every pair that a small ping is to reach asked by a full frame that nobody may cut: a link that is too narrow shows. */
function withFullSize(plan: LabPlan, predictions: Prediction[]): Prediction[] {
  const network = compileNetwork(plannedNetwork(plan));
  const asked = new Set<string>();
  const large = predictions.flatMap(({ question, answer }): Prediction[] => {
    const pair = `${question.from} ${question.to}`;
    if (question.how.kind !== "icmp" || answer.outcome !== "reachable" || asked.has(pair)) return [];
    asked.add(pair);
    const sized = { ...question, size: FULL_SIZE, dontFragment: true };
    return [{ question: sized, answer: walk(network, plan.endpoints, sized) }];
  });
  return [...predictions, ...large];
}

/** What `net verify` prints. */
export function verifiedText({ rows, findings, notAsked, selfReported }: Verified, terminal: Terminal): string {
  const paint = createPainter(terminal.colour);
  return [
    matrixText(rows, paint, terminal.width),
    ...(selfReported.length === 0
      ? []
      : [
          paint.faint(
            `Told by the guests themselves, and believed where their wires showed it: what ${selfReported.join(", ")} were answered.`,
          ),
        ]),
    ...(notAsked === 0 ? [] : [`${notAsked} questions were not asked`]),
    ...findings.map((line) => paint.bad(line)),
  ].join("\n");
}

/** Writes the answers as JUnit XML, for build machines. @throws LabError when the file cannot be written */
export async function writeJunit(app: AppContext, file: string, { lab, rows }: Verified): Promise<void> {
  await app.host.files.replaceText(resolve(app.workingDirectory, file), junitText(lab, rows));
}

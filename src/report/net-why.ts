import type { Mismatch, Observation, TraceEvent } from "../model/observation.ts";
import type { Answer, Question, Step } from "../model/reachability.ts";
import { questionText } from "./net-row.ts";
import type { Painter } from "./painter.ts";

/** The way of one packet, and what is known about it besides the walk. */
export interface WhyStory {
  question: Question;
  answer: Answer;
  /** What was walked: the kernel's state, or the plan. */
  walked?: "observed" | "planned";
  /** What the plan would give; null: the plan itself was walked. */
  planned?: Answer["outcome"] | null;
  /** Differences from the plan that are to blame. */
  blame?: readonly string[];
  /** Guests whose own settings the walk relied on. */
  selfReported?: readonly string[];
  /** What a real packet met. */
  confirmation?: { observation: Observation; trace: readonly TraceEvent[]; disagreements: readonly Mismatch[] } | null;
}

/** Hop by hop, in the words of the tools that show each object; the stop and its remedy at the end. */
export function whyText(story: WhyStory, paint: Painter): string {
  const { question, answer, confirmation = null, selfReported = [] } = story;
  return [
    paint.strong(questionText(question)),
    stepsText(
      answer.steps.filter(({ onReply }) => !onReply),
      "the request",
      paint,
    ),
    stepsText(
      answer.steps.filter(({ onReply }) => onReply),
      "the answer",
      paint,
    ),
    verdictText(answer, paint),
    blameText(story, paint),
    selfReported.length === 0
      ? ""
      : paint.faint(`Told by the guests themselves: what holds inside ${selfReported.join(", ")}.`),
    confirmation === null ? "" : confirmationText(confirmation, paint),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** A heading for each namespace that the packet comes to. */
function stepsText(steps: readonly Step[], title: string, paint: Painter): string {
  if (steps.length === 0) return "";
  const widest = Math.max(...steps.map(({ does }) => does.length));
  const lines: string[] = [paint.faint(title)];
  let namespace: string | null = null;
  for (const step of steps) {
    if (step.namespace !== namespace) lines.push(`  ${paint.strong(step.namespace)}`);
    namespace = step.namespace;
    lines.push(`    ${step.does.padEnd(widest)}  ${step.text}`);
    if (step.object !== null) lines.push(`    ${" ".repeat(widest)}  ${paint.faint(step.object)}`);
  }
  return lines.join("\n");
}

function verdictText(
  { outcome, stop, unknown, seenSource, ttl, mac, answeredBy, hops }: Answer,
  paint: Painter,
): string {
  if (outcome === "unknown") return paint.doubtful(`? unknown: ${unknown ?? "something on the way is not modelled"}`);
  if (stop !== null) {
    const what = stop.onReply ? "the answer stops" : "the packet stops";
    return [paint.bad(`✗ ${what} in ${stop.namespace}: ${stop.reason}`), `  ${stop.object}`, `  ${stop.remedy}`].join(
      "\n",
    );
  }
  if (outcome === "blocked") return paint.bad("✗ blocked");
  const facts = [
    ...(answeredBy === null ? [] : [`answered by ${answeredBy}`]),
    ...(mac === null ? [] : [`with the MAC ${mac}`]),
    ...(seenSource === null ? [] : [`which sees ${seenSource} as the source`]),
    ...(ttl === null ? [] : [`TTL ${ttl} on arrival`]),
    ...(hops.length === 0 ? [] : [`through ${hops.join(", ")}`]),
  ];
  return paint.good(`✓ reachable${facts.length === 0 ? "" : `, ${facts.join(", ")}`}`);
}

function blameText({ answer, planned = null, blame = [] }: WhyStory, paint: Painter): string {
  if (planned === null || (planned === answer.outcome && blame.length === 0)) return "";
  const head =
    planned === answer.outcome
      ? "What differs from the plan:"
      : `By the plan it would be ${planned}.${blame.length === 0 ? "" : " What differs:"}`;
  return [paint.doubtful(head), ...blame.map((line) => `  ${line}`)].join("\n");
}

function confirmationText(
  { observation, trace, disagreements }: NonNullable<WhyStory["confirmation"]>,
  paint: Painter,
): string {
  const { outcome, reply, icmpError, sendError, seenIn } = observation;
  const how = [
    ...(reply === null ? [] : [reply]),
    ...(icmpError === null ? [] : [`ICMP type ${icmpError.type} code ${icmpError.code} from ${icmpError.from}`]),
    ...(sendError === null ? [] : [sendError]),
  ].join(", ");
  const head = `a real packet: ${outcome}${how === "" ? "" : ` (${how})`}`;
  const places = seenIn.map(
    ({ namespace, interface: link, direction, vlanTag, reply: back }) =>
      `  ${back ? "←" : "→"} ${direction.padEnd(3)} ${link} in ${namespace}${vlanTag === null ? "" : `, VLAN ${vlanTag}`}`,
  );
  const rules = trace.map(({ namespace, family, table, chain, rule, handle, verdict }) => {
    const object = rule === null ? "end of the chain" : `${rule}${handle === null ? "" : ` # handle ${handle}`}`;
    return `  ${namespace}: ${family} ${table} ${chain}: ${object}: ${verdict}`;
  });
  return [
    paint.faint(head),
    ...places,
    ...(rules.length === 0 ? [] : [paint.faint("what nftables did to it"), ...rules]),
    disagreements.length === 0
      ? paint.good("✓ the walk and the packet agree")
      : paint.bad("✗ the walk and the packet disagree; this is a bug, or the network changed meanwhile:"),
    ...disagreements.map(({ field, predicted, observed }) => `  ${field}: walked ${predicted}, observed ${observed}`),
  ].join("\n");
}

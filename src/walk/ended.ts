import type { Answer, Stop } from "../model/reachability.ts";
import type { Fate, Passage } from "./passage.ts";

/** What is known of a request that arrived. */
export interface Found {
  arrived: { source: string; ttl: number } | null;
  answeredBy: string | null;
}
export const NOTHING: Found = { arrived: null, answeredBy: null };

/** The answer that a walk has come to. */
export function ended(passage: Passage, fate: Fate, { arrived, answeredBy }: Found): Answer {
  const isReached = fate.kind === "delivered" || fate.kind === "answered";
  const unknown = fate.kind === "unknown" ? fate.unknown : null;
  return {
    outcome: isReached ? "reachable" : unknown === null ? "blocked" : "unknown",
    seenSource: arrived?.source ?? null,
    ttl: arrived?.ttl ?? null,
    hops: passage.hops,
    mac: null,
    answeredBy: isReached ? answeredBy : null,
    stop: stopOf(passage, fate),
    unknown,
    steps: passage.steps,
  };
}

/** Every question that is not answered has a stop; a packet that nobody takes stopped where it was last. */
function stopOf(passage: Passage, fate: Fate): Stop | null {
  if (fate.kind === "stopped") return fate.stop;
  if (fate.kind !== "untaken") return null;
  return {
    cause: "not-listening-here",
    namespace: passage.steps.at(-1)?.namespace ?? "",
    object: "ip addr",
    reason: "Nobody takes the packet.",
    remedy: "Give a machine there the address.",
    onReply: passage.onReply,
  };
}

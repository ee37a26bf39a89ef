import ipaddr from "ipaddr.js";
import type { Mismatch, Observation } from "../model/observation.ts";
import type { Answer } from "../model/reachability.ts";

/**
 * Where a prediction and what was observed differ; empty: they agree. How a packet arrives is compared when both say
 * that it was answered: where a packet was dropped behind an interface, a capture cannot tell whether it arrived.
 */
export function compareAnswers(predicted: Answer, observed: Observation): Mismatch[] {
  if (predicted.outcome === "unknown") {
    return [{ field: "unknown", predicted: predicted.unknown, observed: observed.outcome }];
  }
  if (predicted.stop?.cause === "duplicate-address") {
    // Which of the two answers first is nobody's to predict; that both do is.
    const isSeen = observed.question.how.kind !== "arp" || observed.macs.length > 1;
    return isSeen ? [] : [{ field: "mac", predicted: "several", observed: observed.mac }];
  }
  if (predicted.outcome === "reachable" && isUnheard(observed)) return [];
  if (predicted.outcome !== observed.outcome) {
    return [{ field: "outcome", predicted: predicted.outcome, observed: observed.outcome }];
  }
  if (predicted.outcome === "blocked") return [];
  const isArp = observed.question.how.kind === "arp";
  const mismatches: Mismatch[] = [];
  const compare = (field: Mismatch["field"], a: string | null, b: string | null) => {
    if (a !== b) mismatches.push({ field, predicted: a, observed: b });
  };
  if (isArp) {
    const mac = predicted.mac?.toLowerCase() ?? null;
    // Several interfaces of one machine may answer; which is first depends on the order in which a bridge got its ports.
    if (mac === null || !observed.macs.includes(mac)) compare("mac", mac, observed.mac);
  } else {
    compare("seenSource", canonical(predicted.seenSource), canonical(observed.seenSource));
    compare("ttl", predicted.ttl?.toString() ?? null, observed.ttl?.toString() ?? null);
  }
  compare("answeredBy", predicted.answeredBy, observed.answeredBy);
  return mismatches;
}

/**
 * A datagram that nobody listened for, and whose refusal was sent and got lost. The refusal is an ICMP error, another packet
 * than the answer that was walked, with rules of its own on its way.
 */
function isUnheard({ question, seenSource, reply, seenIn }: Observation): boolean {
  return question.how.kind === "udp" && seenSource !== null && reply === null && seenIn.some((one) => one.reply);
}

/** One address has several spellings in IPv6. */
function canonical(address: string | null): string | null {
  return address !== null && ipaddr.isValid(address) ? ipaddr.parse(address).toString() : address;
}

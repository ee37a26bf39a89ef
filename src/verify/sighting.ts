import type { NamespaceName } from "../model/plan.ts";
import type { Recognised } from "./recognise.ts";

/** A packet of a probe, seen at an interface. */
export interface Sighting {
  namespace: NamespaceName;
  interface: string;
  direction: "in" | "out";
  /** Addressed to this machine's MAC, broadcast or multicast: the IP stack behind the interface gets it. */
  forThisMachine: boolean;
  vlanTag: number | null;
  timeNs: bigint;
  what: Recognised;
}

/** Where the last request of those seen came to its end: it went in, for that machine, and was never seen again. null: nowhere. */
export function deliveredAt(sightings: readonly Sighting[]): Sighting | null {
  const last = sightings.filter(({ what }) => what.part === "request").at(-1);
  return last !== undefined && last.direction === "in" && last.forThisMachine ? last : null;
}

/** The reply that came first, where it was first seen: who sent it. */
export function firstReply(sightings: readonly Sighting[]): Sighting | null {
  return sightings.find(({ what }) => what.part === "reply") ?? null;
}

/** An ICMP error as it came to the asker, and where it was first seen. */
export function errorFor(asker: NamespaceName, sightings: readonly Sighting[]): Sighting | null {
  return (
    sightings.find(
      ({ what, namespace, direction }) => what.part === "error" && namespace === asker && direction === "in",
    ) ?? null
  );
}

import type { Observation, Reply, Sighted } from "../model/observation.ts";
import type { Endpoint } from "../model/reachability.ts";
import type { Probe, Surroundings } from "./probe.ts";
import { deliveredAt, errorFor, firstReply, type Sighting } from "./sighting.ts";

/** Reads what a finished probe met. Pure. */
export function observationOf(probe: Probe, surroundings: Surroundings): Observation {
  const sightings = probe.sightings.toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
  const common = {
    question: probe.question,
    seenIn: trail(sightings),
    vlan: Object.fromEntries(
      sightings.flatMap(({ namespace, interface: link, vlanTag }) =>
        vlanTag === null ? [] : [[`${namespace}/${link}`, vlanTag]],
      ),
    ),
    tries: probe.tries,
    sendError: probe.told?.kind === "send-error" ? probe.told.code : null,
  };
  return probe.question.how.kind === "arp"
    ? { ...common, ...readNeighbour(probe, sightings, surroundings) }
    : { ...common, ...readPacket(probe, sightings, surroundings) };
}

type Read = Omit<Observation, "question" | "seenIn" | "vlan" | "tries" | "sendError">;

function readNeighbour(probe: Probe, sightings: Sighting[], { endpoints }: Surroundings): Read {
  const came = sightings.filter(({ what, namespace, interface: link, direction }) => {
    const arrived = namespace === probe.from.namespace && link === probe.asker?.name && direction === "in";
    return what.part === "reply" && arrived;
  });
  const macs = [...new Set(came.flatMap(({ what }) => (what.by === "neighbour" ? [what.mac] : [])))];
  const [mac = null] = macs;
  const origin = sightings.find(({ what }) => what.part === "reply" && what.by === "neighbour" && what.mac === mac);
  const reply: Reply = probe.version === 4 ? "arp-reply" : "neighbour-advertisement";
  return {
    outcome: mac === null ? "blocked" : "reachable",
    seenSource: null,
    ttl: null,
    mac,
    macs,
    answeredBy: nameOf(origin?.namespace ?? null, probe, endpoints),
    answeredIn: origin?.namespace ?? null,
    reply: mac === null ? null : reply,
    icmpError: null,
  };
}

function readPacket(probe: Probe, sightings: Sighting[], surroundings: Surroundings): Read {
  const delivered = deliveredAt(sightings);
  const error = errorFor(probe.from.namespace, sightings);
  const reply = replyOf(probe, sightings, delivered, surroundings);
  // A refusal has its answer in the sightings of replies (RST) or of errors (port unreachable).
  const answer = reply === null ? null : firstReply(sightings);
  const answeredIn = answer?.namespace ?? delivered?.namespace ?? null;
  return {
    outcome: reply === null ? "blocked" : "reachable",
    seenSource: delivered?.what.source ?? null,
    ttl: delivered?.what.ttl ?? null,
    mac: null,
    macs: [],
    answeredBy: nameOf(answeredIn, probe, surroundings.endpoints),
    answeredIn,
    reply,
    icmpError:
      error === null || error.what.icmp === null || reply === "port-unreachable" || reply === "echo-reply"
        ? null
        : { ...error.what.icmp, from: error.what.source },
  };
}

/** null: no answer that lets the question count as reached. */
function replyOf(
  { told, question, from }: Probe,
  sightings: Sighting[],
  delivered: Sighting | null,
  surroundings: Surroundings,
): Reply | null {
  const { how } = question;
  if (how.kind === "arp") return null;
  if (told?.kind === "answered") {
    return how.kind === "icmp" ? "echo-reply" : how.kind === "tcp" ? "syn-ack" : "datagram";
  }
  const isRst = sightings.some(({ what }) => what.part === "reply" && what.by === "tcp");
  if (told?.kind === "refused" && how.kind !== "icmp") {
    // For TCP a port that is unreachable by ICMP is a firewall's word: the kernel itself resets.
    if (how.kind === "tcp" && !isRst && errorFor(from.namespace, sightings) !== null) return null;
    return isOwnRefusal(how.kind, delivered, surroundings) ? (how.kind === "tcp" ? "rst" : "port-unreachable") : null;
  }
  if (told === null && how.kind === "udp" && delivered !== null && !isOwnRefusal("udp", delivered, surroundings)) {
    return surroundings.owns(delivered.namespace, delivered.what.destination) ? "delivered" : null;
  }
  return null;
}

/**
 * A refusal says "reached" only when it is the destination's own: it has the address, and nobody listens. Else a
 * firewall spoke for it (nft's `reject`).
 */
function isOwnRefusal(protocol: "tcp" | "udp", delivered: Sighting | null, surroundings: Surroundings): boolean {
  if (delivered === null) return true;
  const { what, namespace } = delivered;
  if (!surroundings.owns(namespace, what.destination)) return false;
  const port = what.by === "neighbour" ? null : what.destinationPort;
  return port === null || !surroundings.listens(namespace, protocol, what.destination, port);
}

/** Several domains may share a namespace: the one that was asked for comes first. */
function nameOf(namespace: string | null, { question }: Probe, endpoints: readonly Endpoint[]): string | null {
  if (namespace === null) return null;
  const there = endpoints.filter((endpoint) => endpoint.namespace === namespace);
  return (there.find(({ name }) => name === question.to) ?? there[0])?.name ?? namespace;
}

/** Each place once, in the order of time. */
function trail(sightings: readonly Sighting[]): Sighted[] {
  const places = new Map<string, Sighted>();
  for (const { namespace, interface: link, direction, vlanTag, what } of sightings) {
    const reply = what.part !== "request";
    const key = `${namespace}/${link}/${direction}/${vlanTag}/${reply}`;
    if (!places.has(key)) places.set(key, { namespace, interface: link, direction, vlanTag, reply });
  }
  return [...places.values()];
}

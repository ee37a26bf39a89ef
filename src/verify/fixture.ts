import type { Observation } from "../model/observation.ts";
import type { Answer, Endpoint, Question } from "../model/reachability.ts";
import type { Probe, Surroundings } from "./probe.ts";
import type { Recognised } from "./recognise.ts";
import type { Sighting } from "./sighting.ts";

export const question: Question = { from: "a", to: "b", address: "10.0.0.2", how: { kind: "icmp" } };

export function endpoint(name: string, namespace = `ns-${name}`): Endpoint {
  return { name, kind: "domain", namespace, interfaces: [], services: [] };
}

export function probe(how: Question["how"], more: Partial<Probe> = {}): Probe {
  return {
    question: { ...question, how },
    index: 0,
    from: endpoint("a"),
    version: 4,
    tries: 1,
    dueMs: 0,
    told: null,
    done: true,
    sightings: [],
    asker: null,
    ...more,
  };
}

/** `place`: `NAMESPACE/INTERFACE in|out`. Times count up by themselves. */
export function sighting(place: string, what: Partial<Recognised> = {}, more: Partial<Sighting> = {}): Sighting {
  const [at = "", direction] = place.split(" ");
  const [namespace = "", link = ""] = at.split("/");
  const common = { part: "request", source: "10.0.0.1", destination: "10.0.0.2", ttl: 64, icmp: null };
  return {
    namespace,
    interface: link,
    direction: direction === "out" ? "out" : "in",
    forThisMachine: direction !== "out",
    vlanTag: null,
    timeNs: now++,
    what: { ...common, by: "mark", index: 0, attempt: 0, destinationPort: null, ...what } as Recognised,
    ...more,
  };
}
let now = 1n;

/** b has 10.0.0.2 and listens on port 80. */
export const surroundings: Surroundings = {
  endpoints: [endpoint("a"), endpoint("b"), endpoint("router")],
  owns: (namespace, address) => namespace === "ns-b" && address === "10.0.0.2",
  listens: (namespace, _protocol, _address, port) => namespace === "ns-b" && port === 80,
};

export function answer(more: Partial<Answer> = {}): Answer {
  return {
    outcome: "reachable",
    seenSource: "10.0.0.1",
    ttl: 64,
    hops: [],
    mac: null,
    answeredBy: "b",
    stop: null,
    unknown: null,
    steps: [],
    ...more,
  };
}

export function observation(more: Partial<Observation> = {}): Observation {
  return {
    question,
    outcome: "reachable",
    seenSource: "10.0.0.1",
    ttl: 64,
    mac: null,
    macs: [],
    answeredBy: "b",
    answeredIn: "ns-b",
    seenIn: [],
    vlan: {},
    reply: "echo-reply",
    icmpError: null,
    sendError: null,
    tries: 1,
    ...more,
  };
}

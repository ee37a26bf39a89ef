import type { Endpoint, Question } from "../model/reachability.ts";
import type { Sighting } from "./sighting.ts";

/** The interface through which a broadcast asks for an address, and as whom. */
export interface AskingLink {
  index: number;
  name: string;
  mac: string;
  address: string | null;
}

/** A question under way. */
export interface Probe {
  question: Question;
  /** Its place in the list of questions, and its number in marks. */
  index: number;
  from: Endpoint;
  version: 4 | 6;
  /** Requests sent so far. */
  tries: number;
  /** When to ask again, or to give up after the last try; monotonic ms. */
  dueMs: number;
  /** What the asking program was told; null: nothing yet. */
  told: Told | null;
  /** Waits no more. */
  done: boolean;
  sightings: Sighting[];
  /** `arp`: the interface that asks. */
  asker: AskingLink | null;
}

/** What a program that asks gets to know. `refused`: RST, or ICMP port unreachable. */
export type Told =
  | { kind: "answered" }
  | { kind: "refused" }
  | { kind: "icmp-error" }
  | { kind: "send-error"; code: string };

/** What the lab's namespaces hold that an observation is read with. */
export interface Surroundings {
  endpoints: readonly Endpoint[];
  /** Whether the address is one of the namespace's own. */
  owns(namespace: string, address: string): boolean;
  /** Whether somebody listens there. */
  listens(namespace: string, protocol: "tcp" | "udp", address: string, port: number): boolean;
}

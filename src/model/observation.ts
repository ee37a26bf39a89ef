import type { NamespaceName } from "./plan.ts";
import type { Question } from "./reachability.ts";

/** What a real packet met: the answer to a question as the lab itself gave it. */
export interface Observation {
  question: Question;
  outcome: "reachable" | "blocked";
  /** Source address of the request where it was delivered; null: it was seen delivered nowhere. Of `arp`: null. */
  seenSource: string | null;
  /** TTL or hop limit with which the request arrived there. */
  ttl: number | null;
  /** Of `arp`: the MAC that answered first. */
  mac: string | null;
  /** Of `arp`: all MACs that answered. More than one: a duplicate address. */
  macs: string[];
  /** Name of the endpoint that answered, or where the request was last delivered; without one: of the namespace. */
  answeredBy: string | null;
  /** Its namespace. */
  answeredIn: NamespaceName | null;
  /** The packet's trail, in the order of time: the request's and its reply's. */
  seenIn: Sighted[];
  /** `namespace/interface` → id of the VLAN tag that the packet bore there. */
  vlan: Record<string, number>;
  /** `delivered`: it came to a port with a listener, which says nothing to strange datagrams. */
  reply: Reply | null;
  /** An ICMP error that came back to the sender. */
  icmpError: { type: number; code: number; from: string } | null;
  /** Errno name with which the sender's own kernel refused to send, or to wait longer: `ENETUNREACH`, `EMSGSIZE`, … */
  sendError: string | null;
  /** How often it was asked. */
  tries: number;
}

export type Reply =
  | "echo-reply"
  | "syn-ack"
  | "rst"
  | "port-unreachable"
  | "datagram"
  | "arp-reply"
  | "neighbour-advertisement"
  | "delivered";

/** Where the packet was seen. */
export interface Sighted {
  namespace: NamespaceName;
  interface: string;
  direction: "in" | "out";
  vlanTag: number | null;
  /** It was the reply, or an error about the request. */
  reply: boolean;
}

/** A point in which a prediction and an observation differ. `unknown`: nothing was predicted, so nothing can agree. */
export interface Mismatch {
  field: "unknown" | "outcome" | "seenSource" | "ttl" | "mac" | "answeredBy";
  predicted: string | null;
  observed: string | null;
}

/** What nftables did with a packet at one rule or at the end of a chain. */
export interface TraceEvent {
  namespace: NamespaceName;
  /** nftables' id of the packet, in this namespace. */
  packet: string;
  family: string;
  table: string;
  chain: string;
  /** As nft lists it; null: the chain's end. */
  rule: string | null;
  handle: number | null;
  /** `accept`, `drop`, `continue`, `jump services`, … */
  verdict: string;
}

import type { NamespaceName } from "./plan.ts";

/** Who can be asked and who can ask: a domain, the platform's host, the company's router, a machine of the company. */
export interface Endpoint {
  name: string;
  kind: "domain" | "host" | "router" | "machine";
  namespace: NamespaceName;
  /** Its addresses, in the order of its interfaces; what others reach it by. */
  interfaces: { link: string; network: string; addresses: string[]; mac: string }[];
  services: Service[];
}

/** What an endpoint offers. Of a host: also the ports that it forwards. */
export interface Service {
  protocol: "tcp" | "udp";
  port: number;
  /** For a forwarded port: whose. */
  forwardedTo?: { domain: string; port: number };
}

/** One question: can `from` reach `to`, at this address, in this way? */
export interface Question {
  from: string;
  to: string;
  address: string;
  /** `arp`: does a broadcast ARP (or NDP) request for the address, sent through `from`'s interface towards it, get an answer? */
  how: { kind: "arp" } | { kind: "icmp" } | { kind: "tcp" | "udp"; port: number };
  /** `icmp` only: bytes of the whole IP packet; default: 84, as ping sends. */
  size?: number;
  /** `icmp` only: true: fragmented by nobody on the way; absent: as the sender's kernel likes it. */
  dontFragment?: boolean;
}

/** What a packet may stop at; each has at least one rule of the walk that finds it. */
export const STOP_CAUSES = [
  "no-route", // no route to the destination
  "link-down", // an interface on the way is down, or its peer is
  "no-neighbour", // nobody answers ARP or NDP for the next hop
  "wrong-neighbour", // the neighbour entry names a MAC that nobody listens to there
  "duplicate-address", // several machines answer for the next hop
  "not-forwarding", // a machine that is no router got a packet for somebody else
  "reverse-path", // rp_filter: the way back differs
  "martian-source", // a source that is the receiver's own or impossible
  "nft-rule", // a rule drops or rejects
  "nft-policy", // a chain's policy drops
  "spoof-guard", // our anti-spoofing table or flow drops
  "port-isolated", // from an isolated port of a bridge to another
  "vlan-mismatch", // nobody takes frames with this tag, or without one
  "mtu", // too large for a link, and not to be fragmented
  "ttl", // used up
  "not-listening-here", // the address is nobody's here
  "ignores-echo", // net.ipv4.icmp_echo_ignore_all
  "reply", // the request arrived and the answer stopped; `stop` tells where
] as const;
export type StopCause = (typeof STOP_CAUSES)[number];

/** The object that ends a walk. */
export interface Stop {
  cause: StopCause;
  namespace: NamespaceName;
  /** In the words of the tool that shows it: a line of `ip route`, an nft rule with its handle, a neighbour entry, a sysctl. */
  object: string;
  /** One sentence: what happened. */
  reason: string;
  /** One sentence: what would let it pass. */
  remedy: string;
  /** It stopped the answer, not the request. */
  onReply: boolean;
}

/** One thing that happens to the packet. */
export interface Step {
  namespace: NamespaceName;
  /** `send`, `arp`, `route`, `nft`, `bridge`, `forward`, `translate`, `deliver`, … */
  does: string;
  /** The object that decides, as its tool shows it; null: nothing but the kernel's own rule. */
  object: string | null;
  text: string;
  onReply: boolean;
}

/** The answer of a walk, or of the real packets. */
export interface Answer {
  /** `unknown`: something on the way is not modelled; `unknown` says what. */
  outcome: "reachable" | "blocked" | "unknown";
  /** Source address of the request as the receiver sees it; null: it did not arrive. Of `arp`: null. */
  seenSource: string | null;
  /** TTL or hop limit with which the request arrives. */
  ttl: number | null;
  /** Addresses of the routers that the request passes, as traceroute shows them. */
  hops: string[];
  /** Of `arp`: the MAC that answers. */
  mac: string | null;
  /** Name of the endpoint that really answers (behind a forwarded port: the domain). */
  answeredBy: string | null;
  stop: Stop | null;
  unknown: string | null;
  steps: Step[];
}

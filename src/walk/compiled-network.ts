import type { Guard, Link } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Stop } from "../model/reachability.ts";
import type { Ip, Prefix } from "./ip-address.ts";
import type { Chain } from "./nft/chain.ts";
import type { WalkRule } from "./walk-rules.ts";

/** A network state, indexed for walks. Immutable but for what is remembered of walks already taken. */
export interface CompiledNetwork {
  namespaces: ReadonlyMap<NamespaceName, CompiledNamespace>;
  /** Who may answer for an address: those who have it, and those with a proxy entry for it. */
  answerers: ReadonlyMap<string, ReadonlySet<CompiledNamespace>>;
  /** Whether the walk follows this rule; all are followed, but for one in tests. */
  follows: (rule: WalkRule) => boolean;
  /** Answers to ARP and NDP by `link target sender`. */
  asked: Map<string, Asked>;
}

/** What came of asking for a MAC. */
export type Asked =
  | { kind: "answered"; mac: string; by: CompiledLink; learned: { link: CompiledLink; address: Ip; mac: string }[] }
  | { kind: "stopped"; stop: Stop }
  | { kind: "unknown"; unknown: string };

export interface CompiledNamespace {
  name: NamespaceName;
  links: ReadonlyMap<string, CompiledLink>;
  /** Key: address. Where it is set; the first of several. */
  local: Map<string, CompiledLink>;
  /** Longest prefix first. */
  routes: CompiledRoute[];
  routeTo: Map<string, CompiledRoute | null>;
  hooks: Hooks;
  /** Some rule uses conntrack or NAT; else the kernel does not track here (nf_ct_netns_get). */
  tracks: boolean;
  /** It may answer ARP for anything: blanket proxy ARP. */
  proxiesAll: boolean;
  /** A policy rule or the like that bears on every routing decision. */
  unmodelledRouting: string | null;
  sysctl: (name: string) => string | undefined;
  /** As the network's. */
  follows: (rule: WalkRule) => boolean;
}

export type HookName = "prerouting" | "input" | "forward" | "output" | "postrouting";
export type HookFamily = "ip" | "ip6" | "bridge" | "arp";
export type Hooks = Record<HookFamily, Record<HookName, Stage[]>>;

/** What runs at a hook, in the order of priorities. */
export type Stage =
  | { kind: "chain"; priority: number; chain: Chain }
  | { kind: "conntrack"; priority: number }
  | { kind: "nat"; priority: number; chains: Chain[] }
  | { kind: "bridge-netfilter"; priority: number };

export interface CompiledLink {
  /** Unique in the network. */
  id: number;
  name: string;
  namespace: CompiledNamespace;
  kind: Link["kind"];
  up: boolean;
  mtu: number;
  mac: string;
  isolated: boolean;
  peer: CompiledLink | null;
  /** The bridge that it is a port of. */
  master: CompiledLink | null;
  /** Bridge: its ports. */
  ports: CompiledLink[];
  vlan: { parent: CompiledLink; id: number } | null;
  /** 802.1Q sub-interfaces on it. */
  tagged: Map<number, CompiledLink>;
  switchPort: CompiledSwitchPort | null;
  addresses: LinkAddress[];
  neighbours: Map<string, NeighbourEntry>;
  proxies: Set<string>;
  settings: LinkSettings;
  /** Something on it that the model does not know. */
  unmodelled: string | null;
  /** nft chains bound to the device. */
  ingress: Chain[];
  egress: Chain[];
  /** Remembered: of a bridge or switch, its ports that can lead to a MAC, or to who may answer for an address. */
  towards: Map<string, CompiledLink[]>;
}

export interface CompiledSwitchPort {
  switchName: string;
  /** All ports of the switch, this one included. */
  ports: CompiledLink[];
  vlan: { access: number } | { trunk: number[] };
  guard: (Guard & { ips: ReadonlySet<Ip> }) | null;
  towards: Map<string, CompiledLink[]>;
}

export interface LinkAddress {
  ip: Ip;
  subnet: Prefix;
  /** A later address of the same subnet (IFA_F_SECONDARY). */
  secondary: boolean;
  scope: "global" | "link" | "host";
}

export interface NeighbourEntry {
  mac: string;
  permanent: boolean;
}

/** Sysctls of an interface, `all` taken into account. */
export interface LinkSettings {
  forwarding: boolean;
  rpFilter: number;
  arpIgnore: number;
  arpAnnounce: number;
  arpFilter: boolean;
  proxyArp: boolean;
  proxyArpPvlan: boolean;
  acceptLocal: boolean;
  routeLocalnet: boolean;
  ipv6: boolean;
  forwarding6: boolean;
  proxyNdp: boolean;
}

export interface CompiledRoute {
  type: "local" | "unicast" | "broadcast";
  network: Prefix;
  via: Ip | null;
  link: CompiledLink;
  source: Ip | null;
  /** As `ip route` shows it. */
  text: string;
}

import type { NftTable } from "./nft.ts";
import type { NamespaceName } from "./plan.ts";

/** One interface, as wanted or as read back from the kernel. */
export interface Link {
  name: string;
  /**
   * `vlan`: an 802.1Q sub-interface. `switch-port`: the port of an Open vSwitch that is the switch itself, its local port.
   * `tap`: the machine's end of an interface of a guest with a kernel of its own, `nic` that interface inside. `vif`: as a tap,
   * of a domain that brings it along when it starts, and takes it away when it ends.
   */
  kind: "veth" | "tap" | "vif" | "nic" | "bridge" | "vlan" | "switch-port" | "loopback" | "other";
  up: boolean;
  mtu: number;
  mac: string | null;
  /** The bridge that it is a port of. */
  master: string | null;
  /** veth, tap, vif and nic: where the other end is. Each end names the other. */
  peer: { namespace: NamespaceName; name: string } | null;
  /** CPUs that process what the interface receives (RPS); empty: the CPU of the sender. */
  rpsCpus: number[];
  /** vlan only: whose frames with which tag it stands for. */
  vlan?: { parent: string; id: number };
  /** Port of a bridge that reaches no other isolated port of it. */
  isolated?: boolean;
  /** What it does to frames that it sends; absent: nothing wanted, and none of ours observed. */
  shaping?: Shaping;
}

/** A root qdisc: TBF for a rate, netem for delay and loss. */
export interface Shaping {
  rateBitsPerSecond?: number;
  delayMs?: number;
  lossPercent?: number;
}

export interface Address {
  link: string;
  address: string;
  prefix: number;
}

export interface Route {
  /** CIDR; `default` is IPv4's, `::/0` IPv6's. */
  destination: string;
  /** Gateway; null: the destination is on the link. */
  via: string | null;
  link: string | null;
  /** The gateway need not be in a subnet of the link. */
  onLink?: boolean;
  /** Preferred source address. */
  source?: string;
}

export interface Neighbour {
  link: string;
  address: string;
  mac: string | null;
  proxy: boolean;
}

/** A switch of Open vSwitch, in the userspace datapath of the instance that runs in the namespace. */
export interface Switch {
  /** Also the name of its local port, which is down and unused: the host has no part in it. */
  name: string;
  ports: SwitchPort[];
}

export interface SwitchPort {
  /** A veth of the namespace. */
  link: string;
  /** Access port of this VLAN, or a trunk that carries these. */
  vlan: { access: number } | { trunk: number[] };
  /** What may enter through it; null: everything. */
  guard: Guard | null;
  /** Bits a second that leave through it. */
  rateBitsPerSecond?: number;
}

/** Sender addresses that an interface may use (anti-spoofing). DHCP and, for IPv6, link-local neighbour discovery are allowed. */
export interface Guard {
  mac: string;
  addresses: string[];
}

/** Something in the kernel that the model does not know; a walk that meets it ends with `unknown`. */
export interface Unmodelled {
  /** As its own tool names it: `ip rule 100: from 10.0.0.0/8 lookup 5`, `tc filter on eth0 ingress: bpf`. */
  object: string;
  /** What it bears on: frames through a link, or every routing decision of the namespace. */
  bearsOn: { link: string } | "routing";
}

/** The whole network of one namespace. Lists are sets: their order means nothing. */
export interface NamespaceState {
  /**
   * The network of a guest with a kernel of its own: what it is told to set up, and what walks go through. This machine's
   * kernel has no such namespace: nothing is made or read there.
   */
  guest?: true;
  links: Link[];
  addresses: Address[];
  routes: Route[];
  /** Permanent and proxy entries only; learned ones are no configuration. */
  neighbours: Neighbour[];
  /** Links whose addresses and routes a DHCP client inside sets: none are wanted on them, and none are drift. */
  leased?: string[];
  /** Links that an uplink puts here: they come and go with it, and are neither wanted nor drift. */
  joined?: string[];
  /** `net.ipv4.ip_forward` → `1`; only those that matter to the plan. Observed for walks: all that they know. */
  sysctls: Record<string, string>;
  /** nftables tables of ours; key: `family name`. */
  tables: Record<string, NftTable>;
  switches?: Switch[];
  /** Observed only. */
  observed?: Observations;
}

/** What the kernel has besides configuration, for walks over the observed state. Never wanted, never drift. */
export interface Observations {
  /** ARP and NDP entries that were learned and can be used (not failed or incomplete). */
  learned: Neighbour[];
  /** Addresses and routes on leased links, which DHCP clients set; they count in walks. */
  leasedAddresses: Address[];
  leasedRoutes: Route[];
  /** Tables that are not Cloison's. */
  foreignTables: Record<string, NftTable>;
  unmodelled: Unmodelled[];
}

/** Key: name of a network namespace. */
export type NetworkState = Record<NamespaceName, NamespaceState>;

/** The namespaces that this machine's kernel has, without what is inside guests. */
export function withoutGuests(network: NetworkState): NetworkState {
  const states = Object.entries(network);
  return states.some(([, { guest }]) => guest === true)
    ? Object.fromEntries(states.filter(([, { guest }]) => guest !== true))
    : network;
}

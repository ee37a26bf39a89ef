import type { NamespaceName } from "./plan.ts";

/** One interface, as wanted or as read back from the kernel. */
export interface Link {
  name: string;
  kind: "veth" | "bridge" | "loopback" | "other";
  up: boolean;
  mtu: number;
  mac: string | null;
  /** The bridge that it is a port of. */
  master: string | null;
  /** veth only: where the other end is. Each end names the other. */
  peer: { namespace: NamespaceName; name: string } | null;
  /** CPUs that process what the interface receives (RPS); empty: the CPU of the sender. */
  rpsCpus: number[];
}

export interface Address {
  link: string;
  address: string;
  prefix: number;
}

export interface Route {
  /** CIDR, or `default`. */
  destination: string;
  /** Gateway; null: the destination is on the link. */
  via: string | null;
  link: string | null;
}

export interface Neighbour {
  link: string;
  address: string;
  mac: string | null;
  proxy: boolean;
}

/** The whole network of one namespace. Lists are sets: their order means nothing. */
export interface NamespaceState {
  links: Link[];
  addresses: Address[];
  routes: Route[];
  /** Permanent and proxy entries only; learned ones are no configuration. */
  neighbours: Neighbour[];
  /** Links whose addresses and routes a DHCP client inside sets: none are wanted on them, and none are drift. */
  leased?: string[];
  /** `net.ipv4.ip_forward` → `1`; only those that matter to the plan. */
  sysctls: Record<string, string>;
  /** nftables tables of ours, as text that `nft -f` takes; name `family table` → text. */
  tables: Record<string, string>;
}

/** Key: name of a network namespace. */
export type NetworkState = Record<NamespaceName, NamespaceState>;

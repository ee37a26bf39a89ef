/**
 * nftables as data, in the form of libnftables-json(5): what `nft -j` takes and lists. Wanted tables are built from it,
 * observed ones are read into it, both are compared and walked.
 */
export type NftFamily = "inet" | "ip" | "ip6" | "arp" | "bridge" | "netdev";

export interface NftTable {
  family: NftFamily;
  name: string;
  sets: NftSet[];
  chains: NftChain[];
}

/** A named set. Elements are a set: their order means nothing. */
export interface NftSet {
  name: string;
  /** `ifname`, or the parts of a concatenation: `["ifname", "ether_addr"]`. */
  type: string | string[];
  flags?: string[];
  /** A map: the type of what its elements lead to, such as `verdict`. Its elements are pairs `[key, value]`. */
  map?: string | string[];
  /** A value, a concatenation `{ concat: [...] }`, a `{ prefix }` or `{ range }`, or `{ elem: { val, comment } }` around one. */
  elements: unknown[];
}

export interface NftChain {
  name: string;
  /** null: reached by jump and goto only. */
  base: NftHook | null;
  rules: NftRule[];
}

export interface NftHook {
  type: "filter" | "nat" | "route";
  hook: "ingress" | "egress" | "prerouting" | "input" | "forward" | "output" | "postrouting";
  priority: number;
  policy: "accept" | "drop";
  /** netdev family only; null: nft does not tell. */
  device?: string | null;
}

export interface NftRule {
  /** The kernel's; observed rules only. Not part of a comparison. */
  handle?: number;
  comment?: string;
  /** In order. A statement that is not modelled stays as nft lists it. */
  expr: NftStatement[];
}

/** One statement, an object with one key: `{ match: { op, left, right } }`, `{ drop: null }`, `{ masquerade: null }`, … */
export type NftStatement = Readonly<Record<string, unknown>>;

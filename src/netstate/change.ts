import type { Address, Link, Neighbour, Route, Switch } from "../model/network-state.ts";
import type { NftTable } from "../model/nft.ts";
import type { NamespaceName } from "../model/plan.ts";
import { differingParts } from "./canonical-table.ts";

interface ChangeOf<Kind extends string, Object> {
  /** What has to be done, from what is there to what is wanted. */
  kind: "add" | "change" | "remove";
  namespace: NamespaceName;
  object: Kind;
  /** Says which one: `vif1.0`, `10.23.0.2/24 on eth0`, `default`. */
  name: string;
  /** null: none is wanted. */
  wanted: Object | null;
  /** null: there is none. */
  observed: Object | null;
}

export type LinkChange = ChangeOf<"link", Link>;
export type AddressChange = ChangeOf<"address", Address>;
export type RouteChange = ChangeOf<"route", Route>;
export type NeighbourChange = ChangeOf<"neighbour", Neighbour>;
export type SysctlChange = ChangeOf<"sysctl", string>;
export type TableChange = ChangeOf<"table", NftTable>;
export type SwitchChange = ChangeOf<"switch", Switch>;

/** One difference between a network as wanted and as it is. */
export type Change =
  | LinkChange
  | AddressChange
  | RouteChange
  | NeighbourChange
  | SysctlChange
  | TableChange
  | SwitchChange;

/** Steps in the order in which changes can be carried out: nothing is removed under what stands on it, or built on nothing. */
const STAGES = [
  // Rules stand before the first frame, and what nft refuses is refused before anything else is changed.
  "table",
  "remove neighbour",
  "remove route",
  "remove address",
  "remove link",
  // Before the first frame, as rules are.
  "sysctl",
  "add bridge",
  "add link",
  // Stands on another link, which a batch of its own has made.
  "add vlan",
  // They exist with the link, and are set before it comes up.
  "link sysctl",
  "change link",
  "address",
  "route",
  "neighbour",
  "switch",
  "remove table",
] as const;
export type Stage = (typeof STAGES)[number];

const ADDITIONS: Record<string, Stage> = { bridge: "add bridge", vlan: "add vlan" };

export function stageOf(change: Change): Stage {
  const { kind, object } = change;
  switch (object) {
    case "link":
      if (kind === "add") return ADDITIONS[change.wanted?.kind ?? ""] ?? "add link";
      return `${kind} link`;
    case "sysctl":
      return linkOfSysctl(change.name) === undefined ? "sysctl" : "link sysctl";
    case "address":
    case "route":
    case "neighbour":
      return kind === "remove" ? `remove ${object}` : object;
    case "switch":
      return "switch";
    case "table":
      return kind === "remove" ? "remove table" : "table";
  }
}

/** The link that a sysctl like `net.ipv4.conf.vif1/0.proxy_arp` is of. */
export function linkOfSysctl(name: string): string | undefined {
  return /\.(?:conf|neigh)\.(?!all\.|default\.)([^.]+)\./.exec(name)?.[1]?.replaceAll("/", ".");
}

const RANK = new Map<Stage, number>(STAGES.map((stage, rank) => [stage, rank]));

/** Sorts into an order in which they can be carried out; the same set always into the same order. */
export function sortChanges(changes: readonly Change[]): Change[] {
  return changes
    .map((change) => ({ change, rank: RANK.get(stageOf(change)) ?? 0 }))
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        compareText(a.change.namespace, b.change.namespace) ||
        compareText(a.change.name, b.change.name),
    )
    .map(({ change }) => change);
}

/** Not localeCompare: the order must be the same on every machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One line for people: `cloison.study.host: link vif1.0: up false -> true`. */
export function formatChange(change: Change): string {
  const what = `${change.namespace}: ${change.object} ${change.name}`;
  if (change.kind === "add") return `${what}: missing`;
  if (change.kind === "remove") return `${what}: not wanted`;
  if (change.object === "table" && change.observed !== null && change.wanted !== null) {
    return `${what}: ${differingParts(change.observed, change.wanted).join(", ")} differs`;
  }
  return `${what}: ${differences(change.observed, change.wanted).join(", ")}`;
}

function differences(observed: Change["observed"], wanted: Change["wanted"]): string[] {
  if (typeof observed === "string" && typeof wanted === "string") return [`${observed} -> ${wanted}`];
  const [before, after] = [new Map(Object.entries(observed ?? {})), new Map(Object.entries(wanted ?? {}))];
  const show = (value: unknown) => (value === undefined ? "none" : JSON.stringify(value));
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((field) => {
    const [from, to] = [show(before.get(field)), show(after.get(field))];
    // A MAC that the plan leaves open is no difference.
    return from === to || (field === "mac" && to === "null") ? [] : [`${field} ${from} -> ${to}`];
  });
}

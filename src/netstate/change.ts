import type { Address, Link, Neighbour, Route } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";

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
export type TableChange = ChangeOf<"table", string>;

/** One difference between a network as wanted and as it is. */
export type Change = LinkChange | AddressChange | RouteChange | NeighbourChange | SysctlChange | TableChange;

/** Steps in the order in which changes can be carried out: nothing is removed under what stands on it, or built on nothing. */
const STAGES = [
  "remove neighbour",
  "remove route",
  "remove address",
  "remove link",
  // Rules and switches stand before the first frame.
  "table",
  "sysctl",
  "add bridge",
  "add link",
  "change link",
  "address",
  "route",
  "neighbour",
  // Switches of one interface exist with it.
  "link sysctl",
  "remove table",
] as const;
export type Stage = (typeof STAGES)[number];

export function stageOf(change: Change): Stage {
  const { kind, object } = change;
  switch (object) {
    case "link":
      if (kind === "add") return change.wanted?.kind === "bridge" ? "add bridge" : "add link";
      return `${kind} link`;
    case "sysctl":
      return /\.(?:conf|neigh)\.(?!all\.|default\.)/.test(change.name) ? "link sysctl" : "sysctl";
    case "address":
    case "route":
    case "neighbour":
      return kind === "remove" ? `remove ${object}` : object;
    case "table":
      return kind === "remove" ? "remove table" : "table";
  }
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
  return `${what}: ${differences(change.observed, change.wanted).join(", ")}`;
}

function differences(observed: Change["observed"], wanted: Change["wanted"]): string[] {
  if (typeof observed === "string" && typeof wanted === "string") {
    return wanted.includes("\n") ? ["its rules differ"] : [`${observed} -> ${wanted}`];
  }
  const before = new Map(Object.entries(observed ?? {}));
  return Object.entries(wanted ?? {}).flatMap(([field, value]) => {
    const [from, to] = [JSON.stringify(before.get(field)), JSON.stringify(value)];
    return from === to ? [] : [`${field} ${from} -> ${to}`];
  });
}

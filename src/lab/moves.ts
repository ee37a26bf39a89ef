import type { DomainPlan, LabPart } from "../model/plan.ts";
import type { LabContext } from "./context.ts";
import { movesDirectory, movesFile } from "./paths.ts";

/** Where a domain can be: another host, as ssh knows it, or the lab's own. */
export type Place = string;
export const OWN: Place = "local";

/**
 * A domain that is, or is on the way, somewhere else than with its lab. `copying`: it is at `from`, and something of it may be
 * at `to`. `switching`: whoever sends it knows whether it still is. `decided`: it is at `to`, and something of it may be at
 * `from`. `there`: it is at `to`, and nothing of it elsewhere.
 */
export interface Move {
  from: Place;
  to: Place;
  phase: "copying" | "switching" | "decided" | "there";
  /** As it was planned. */
  domain: DomainPlan;
}

/** Where a domain is, as far as is decided. */
export const placeOf = ({ from, to, phase }: Move): Place => (phase === "decided" || phase === "there" ? to : from);

/** A lab's domains that are at other hosts, or on the way, by name. */
export async function readMoves({ host, paths }: LabContext, lab: string): Promise<Record<string, Move>> {
  const text = await host.files.readTextIfExists(movesFile(paths, lab));
  // Written by replaceText: whole, or not there.
  return text === null ? {} : (JSON.parse(text) as Record<string, Move>);
}

/** @param move null: it is here, and nothing of it elsewhere. Returns when that is on the disk. */
export async function writeMove(context: LabContext, lab: string, name: string, move: Move | null): Promise<void> {
  const { host, paths } = context;
  const { [name]: _, ...others } = await readMoves(context, lab);
  const moves = move === null ? others : { ...others, [name]: move };
  if (Object.keys(moves).length === 0) return forgetMoves(context, lab);
  await host.files.replaceText(movesFile(paths, lab), JSON.stringify(moves));
}

/** Labs of which domains are at other hosts, perhaps only there. */
export async function labsMoved({ host, paths }: LabContext): Promise<string[]> {
  return (await host.files.list(movesDirectory(paths))).map((file) => file.replace(/\.json$/, ""));
}

export async function forgetMoves({ host, paths }: LabContext, lab: string): Promise<void> {
  await host.files.remove(movesFile(paths, lab));
}

/** The move is over: the domain is at one place, and nothing of it elsewhere. */
export async function endMove(context: LabContext, lab: string, { domain }: Move, at: Place): Promise<void> {
  await writeMove(context, lab, domain.name, at === OWN ? null : { from: OWN, to: at, phase: "there", domain });
}

/** What of a lab is here; undefined: all. */
export function mainPart(domains: readonly string[], moves: Record<string, Move>): LabPart | undefined {
  const away = Object.entries(moves).flatMap(([name, move]) => (placeOf(move) === OWN ? [] : [name]));
  return away.length === 0 ? undefined : { domains: domains.filter((name) => !away.includes(name)), isMain: true };
}

import type { DomainPlan, LabPart } from "../model/plan.ts";
import type { LabContext, StoredLab } from "./context.ts";
import { movesDirectory, movesFile } from "./paths.ts";

/** Where a domain can be: another host, as ssh knows it, or the lab's own. */
export type Place = string;
export const OWN: Place = "local";

/**
 * A domain that is, or is on the way, somewhere else than with its lab. `copying`: it is at `from`, and something of it may be
 * at `to`. `switching`: whoever sends it knows whether it still is. `decided`: it is at `to`, and something of it may be at
 * `from`. `there`: it is at `to`, and nothing of it elsewhere. `lost`: the host `from` was seen to have ended, so it is at `to`, the
 * lab's own, made anew; what `from` has left of it may still be there.
 */
export interface Move {
  from: Place;
  to: Place;
  phase: "copying" | "switching" | "decided" | "there" | "lost";
  /** As it was planned. */
  domain: DomainPlan;
  /** Which start of the host it runs in, as a watch has seen it; absent: none has. */
  life?: string;
}

/** Where a domain is, as far as is decided. */
export const placeOf = ({ from, to, phase }: Move): Place => (phase === "copying" || phase === "switching" ? from : to);

/** A lab's domains that are at other hosts, or on the way, by name. */
export async function readMoves({ host, paths }: LabContext, lab: string): Promise<Record<string, Move>> {
  const text = await host.files.readTextIfExists(movesFile(paths, lab));
  // Written by replaceText: whole, or not there.
  return text === null ? {} : (JSON.parse(text) as Record<string, Move>);
}

/** @param move null: it is here, and nothing of it elsewhere. Returns when that is on the disk. */
export async function writeMove(context: LabContext, lab: string, name: string, move: Move | null): Promise<void> {
  return writeMoves(context, lab, { [name]: move });
}

/** As `writeMove`, of several domains at once. */
export async function writeMoves(
  context: LabContext,
  lab: string,
  changes: Record<string, Move | null>,
): Promise<void> {
  const { host, paths } = context;
  const all = Object.entries({ ...(await readMoves(context, lab)), ...changes });
  const moves = all.filter(([, move]) => move !== null);
  if (moves.length === 0) return forgetMoves(context, lab);
  await host.files.replaceText(movesFile(paths, lab), JSON.stringify(Object.fromEntries(moves)));
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

/** Domains that are here since their host was lost, and were not made here yet. */
export function waitingHere({ plan, unsettled }: StoredLab, moves: Record<string, Move>): string[] {
  const isMade = (name: string) => plan.domains.some((one) => one.name === name) && unsettled?.includes(name) !== true;
  return Object.entries(moves).flatMap(([name, { phase }]) => (phase === "lost" && !isMade(name) ? [name] : []));
}

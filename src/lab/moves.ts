import type { DomainPlan, LabPart } from "../model/plan.ts";
import type { LabContext, StoredLab } from "./context.ts";
import { movesDirectory, movesFile } from "./paths.ts";

/**
 * A domain that is, or is on the way, at another host. `copying`: it is here, and something of it may be there. `switching`:
 * whoever sends it knows whether it is here. `there`: it is there, and something of it may be here. `lost`: that host was seen to
 * have ended, so it is here, made anew; what the host has left of it may still be there.
 */
export interface Move {
  host: string;
  phase: "copying" | "switching" | "there" | "lost";
  /** As it was planned. */
  domain: DomainPlan;
  /** Which start of the host it runs in, as a watch has seen it; absent: none has. */
  life?: string;
}

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

/** What of a lab is here; undefined: all. */
export function mainPart(domains: readonly string[], moves: Record<string, Move>): LabPart | undefined {
  const away = Object.entries(moves).flatMap(([name, { phase }]) => (phase === "there" ? [name] : []));
  return away.length === 0 ? undefined : { domains: domains.filter((name) => !away.includes(name)), isMain: true };
}

/** Domains that are here since their host was lost, and were not made here yet. */
export function waitingHere({ plan, unsettled }: StoredLab, moves: Record<string, Move>): string[] {
  const isMade = (name: string) => plan.domains.some((one) => one.name === name) && unsettled?.includes(name) !== true;
  return Object.entries(moves).flatMap(([name, { phase }]) => (phase === "lost" && !isMade(name) ? [name] : []));
}

import type { DomainPlan, LabPart } from "../model/plan.ts";
import type { LabContext } from "./context.ts";
import { movesDirectory, movesFile } from "./paths.ts";

/**
 * A domain that is, or is on the way, at another host. `copying`: it is here, and something of it may be there. `switching`:
 * whoever sends it knows whether it is here. `there`: it is there, and something of it may be here.
 */
export interface Move {
  host: string;
  phase: "copying" | "switching" | "there";
  /** As it was planned. */
  domain: DomainPlan;
}

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

/** What of a lab is here; undefined: all. */
export function mainPart(domains: readonly string[], moves: Record<string, Move>): LabPart | undefined {
  const away = Object.entries(moves).flatMap(([name, { phase }]) => (phase === "there" ? [name] : []));
  return away.length === 0 ? undefined : { domains: domains.filter((name) => !away.includes(name)), isMain: true };
}

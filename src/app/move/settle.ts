import { requireStoredLab } from "../../lab/context.ts";
import { LOCK_WAIT_MS, withLabLock } from "../../lab/lab-lock.ts";
import { endMove, OWN, readMoves, waitingHere, writeMove, writeMoves, type Move, type Place } from "../../lab/moves.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";
import { reachEnd, type End } from "./end.ts";

export type Reach = (place: Place) => Promise<Pick<End, "ask">>;

/**
 * Finds out, of moves that were cut off, where each domain is, and removes what is left of it elsewhere.
 * @throws LabError (busy) when another command holds the lab for longer than `waitMs`
 */
export async function settleMoves(app: AppContext, lab: string, waitMs = LOCK_WAIT_MS): Promise<void> {
  if ((await openMoves(app, lab)).length === 0) return;
  await withLabLock(app.host, app.paths, lab, waitMs, async () => {
    const reach: Reach = (place) => reachEnd(app, place);
    const open = await openMoves(app, lab);
    const lost = open.filter(({ phase }) => phase === "lost");
    for (const address of new Set(lost.map(({ from }) => from))) await clearLostHost(app, lab, address, reach);
    for (const move of open) if (move.phase !== "lost") await settleMove(app, lab, move);
  });
}

async function openMoves(app: AppContext, lab: string): Promise<Move[]> {
  const open = Object.values(await readMoves(app, lab)).filter(({ phase }) => phase !== "there");
  if (open.length > 0) await requireStoredLab(app, lab);
  return open;
}

/**
 * Decides where a domain is whose move has ended somehow, and removes what is left of it elsewhere. The caller holds the lab's
 * lock.
 * @param isSent who sent it says that all was
 * @throws LabError when only a host knows that cannot be asked
 */
export async function settleMove(app: AppContext, lab: string, move: Move, isSent = false): Promise<Place> {
  const reach: Reach = (place) => reachEnd(app, place);
  const decided = move.phase === "decided" ? move : await decide(app, lab, move, { reach, isSent });
  const { from: left, to: at, domain } = decided;
  try {
    await (await reach(left)).ask("leave", lab, { domain: domain.name });
    if (decided.phase === "decided") await endMove(app, lab, decided, at);
  } catch (error) {
    if (!(error instanceof LabError) || left === OWN) throw error;
    app.say(`${error.message}; what may be left of ${domain.name} there is removed by the next command`);
  }
  return at;
}

/** Where it is, written down: at `to`, and no more at `from`. What can only be told is told, and left open. */
async function decide(
  app: AppContext,
  lab: string,
  move: Move,
  { reach, isSent }: { reach: Reach; isSent: boolean },
): Promise<Move> {
  const { from, to, domain } = move;
  const place = await whereIs(lab, move, { reach, isSent, say: app.say });
  if (place === null) return { ...move, from: to, to: from };
  const decided: Move = place === to ? { ...move, phase: "decided" } : { from: to, to: from, phase: "decided", domain };
  await writeMove(app, lab, domain.name, decided);
  return decided;
}

/**
 * Removes what a host that had ended has left of the lab. All of it at once: to make the rest there anew is what `leave` would do.
 * Not before all of it is here: until then its record is what says that it is to be made.
 * @returns false: not yet; when the host cannot be reached, that is said
 */
export async function clearLostHost(app: AppContext, lab: string, address: Place, reach: Reach): Promise<boolean> {
  const moves = await readMoves(app, lab);
  const there = Object.values(moves).filter(({ from, to }) => from === address || to === address);
  const waiting = waitingHere(await requireStoredLab(app, lab), moves);
  if (there.some(({ phase, domain }) => phase !== "lost" || waiting.includes(domain.name))) return false;
  try {
    await (await reach(address)).ask("down", lab, {});
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    app.say(`${error.message}; what may be left of lab ${lab} there is removed by a later command`);
    return false;
  }
  await writeMoves(app, lab, Object.fromEntries(there.map(({ domain }) => [domain.name, null])));
  return true;
}

/** @throws LabError when a host that was lost may still have something of the domain, or is one that it is to leave or to go to */
export async function requireCleared(app: AppContext, lab: string, domain: string, ends: Place[]): Promise<void> {
  const lost = Object.values(await readMoves(app, lab)).filter(({ phase }) => phase === "lost");
  const left = lost.find((move) => move.domain.name === domain || ends.includes(move.from));
  if (left === undefined) return;
  throw new LabError(`what ${left.from}, which was lost, has left of lab ${lab} is not removed there yet`, {
    hint: `cloison ps ${lab} removes it when that host answers again`,
    exit: ExitCode.unavailable,
  });
}

/**
 * Where a domain is. Where it did not come to, it goes on where it was, but never before it can run there no more.
 * @returns null: nothing had been decided when that host was lost, so it is there still, but may stand still
 * @throws LabError when only a host knows that cannot be asked
 */
export async function whereIs(
  lab: string,
  { from, to, phase, domain: { name: domain } }: Move,
  { reach, isSent, say }: { reach: Reach; isSent: boolean; say: (text: string) => void },
): Promise<Place | null> {
  let unasked: LabError | null = null;
  let found: "here" | "sent" | "gone" | null = "sent";
  try {
    if (!isSent) ({ found } = await (await reach(from)).ask("settle", lab, { domain, phase }));
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    if (phase === "copying") {
      say(`${error.message}; domain ${domain} is there still, and the next command looks after it`);
      return null;
    }
    unasked = error;
    found = null;
  }
  if (found === "here" || phase === "copying") return from;
  try {
    const target = await reach(to);
    const { runs, why } = await target.ask("arrive", lab, { domain, isSent: unasked === null });
    if (runs) return to;
    if (unasked !== null) throw unasked;
    if (why !== null) say(why);
    await target.ask("leave", lab, { domain });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw unknown(lab, domain, { from, to }, error);
  }
  if (found === "sent") await (await reach(from)).ask("takeBack", lab, { domain });
  return from;
}

function unknown(lab: string, domain: string, { from, to }: Pick<Move, "from" | "to">, cause: LabError): LabError {
  const [sent, here] = to === OWN ? [`back from ${from}`, "here"] : [`to ${to}`, "there"];
  return new LabError(`domain ${domain} was sent ${sent}, and whether it runs ${here} is not known: ${cause.message}`, {
    hint: `cloison ps ${lab} asks again; it is not started anywhere until that is known`,
    exit: ExitCode.unavailable,
    cause,
  });
}

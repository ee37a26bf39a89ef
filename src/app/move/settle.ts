import { parseLab } from "../../files/lab-file.ts";
import { bringUp } from "../../lab/bring-up.ts";
import { requireStoredLab, type LabSource, type StoredLab } from "../../lab/context.ts";
import { withLabLock } from "../../lab/lab-lock.ts";
import { mainPart, readMoves, waitingHere, writeMove, writeMoves, type Move } from "../../lab/moves.ts";
import { keyOfRoot } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { DomainPlan } from "../../model/plan.ts";
import type { AppContext } from "../context.ts";
import { planFor } from "../prepare.ts";
import { machineName, reachHost, type Parcel, type PartHost } from "./parcel.ts";
import { wayOf, type Way } from "./way.ts";

/** Whoever moves a domain holds its lab. */
const LOCK_WAIT_MS = 2000;

/**
 * Finds out, of moves that were cut off, where each domain is, and removes what is left of it elsewhere.
 * @throws LabError (busy) when another command holds the lab for longer than `waitMs`
 */
export async function settleMoves(app: AppContext, lab: string, waitMs = LOCK_WAIT_MS): Promise<void> {
  if ((await openMoves(app, lab)).length === 0) return;
  await withLabLock(app.host, app.paths, lab, waitMs, async () => {
    for (const move of await openMoves(app, lab)) {
      const reach = () => reachHost(app, move.host);
      if (move.phase === "lost") await clearLostHost(app, lab, move.host, reach);
      else await settleMove(app, lab, move, reach);
    }
  });
}

async function openMoves(app: AppContext, lab: string): Promise<Move[]> {
  const all = Object.values(await readMoves(app, lab));
  // Once for each host, which may take long to be found silent.
  const moves = all.filter(
    ({ phase, host }, i) => phase !== "lost" || all.findIndex((one) => one.phase === "lost" && one.host === host) === i,
  );
  if (moves.length === 0) return [];
  const { plan } = await requireStoredLab(app, lab);
  const isHere = ({ domain }: Move) => plan.domains.some(({ name }) => name === domain.name);
  return moves.filter((move) => move.phase !== "there" || isHere(move));
}

/**
 * Decides where a domain is whose move has ended somehow, and removes what is left of it elsewhere. The caller holds the lab's
 * lock.
 * @throws LabError when only the other host knows, and cannot be asked
 */
export async function settleMove(
  app: AppContext,
  lab: string,
  move: Move,
  reach: () => Promise<PartHost>,
): Promise<"here" | "there"> {
  const stored = await requireStoredLab(app, lab);
  const { name } = move.domain;
  const from = await machineName(app);
  if (move.phase === "there" || (await isThere(wayOf(app, stored), lab, move, { reach, from }))) {
    await writeMove(app, lab, name, { ...move, phase: "there" });
    await removeHere(app, stored);
    return "there";
  }
  try {
    await (await reach()).ask("leave", lab, { domain: name, from });
    await writeMove(app, lab, name, null);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    app.say(`${error.message}; what may be left of ${name} there is removed by the next command`);
  }
  return "here";
}

/**
 * Removes what a host that had ended has left of the lab. All of it at once: to make the rest there anew is what `leave` would do.
 * Not before all of it is here: until then its record is what says that it is to be made.
 * @returns false: not yet; when the host cannot be reached, that is said
 */
export async function clearLostHost(
  app: AppContext,
  lab: string,
  address: string,
  reach: () => Promise<Pick<PartHost, "ask">>,
): Promise<boolean> {
  const moves = await readMoves(app, lab);
  const there = Object.values(moves).filter(({ host }) => host === address);
  const waiting = waitingHere(await requireStoredLab(app, lab), moves);
  if (there.some(({ phase, domain }) => phase !== "lost" || waiting.includes(domain.name))) return false;
  try {
    await (await reach()).ask("down", lab, { from: await machineName(app) });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    app.say(`${error.message}; what may be left of lab ${lab} there is removed by a later command`);
    return false;
  }
  await writeMoves(app, lab, Object.fromEntries(there.map(({ domain }) => [domain.name, null])));
  return true;
}

/** @throws LabError when a host that was lost may still have something of the domain, or is the one that it is to go to */
export async function requireCleared(app: AppContext, lab: string, domain: string, to: string): Promise<void> {
  const lost = Object.values(await readMoves(app, lab)).filter(({ phase }) => phase === "lost");
  const left = lost.find((move) => move.domain.name === domain || move.host === to);
  if (left === undefined) return;
  throw new LabError(`what ${left.host}, which was lost, has left of lab ${lab} is not removed there yet`, {
    hint: `cloison ps ${lab} removes it when that host answers again`,
    exit: ExitCode.unavailable,
  });
}

/**
 * Whether a domain has gone. Where it is not there, it goes on here, but never before it can run there no more.
 * @throws LabError when only the other host knows, and cannot be asked
 */
export async function isThere(
  way: Pick<Way, "settle" | "takeBack">,
  lab: string,
  move: Move,
  { reach, from }: { reach: () => Promise<Pick<PartHost, "ask">>; from: string },
): Promise<boolean> {
  const { domain, phase, host: address } = move;
  const found = await way.settle(move);
  if (found === "here" || phase === "copying") return false;
  try {
    const there = await reach();
    if ((await there.ask("arrive", lab, { domain: domain.name, from })).runs) return true;
    await there.ask("leave", lab, { domain: domain.name, from });
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    throw new LabError(
      `domain ${domain.name} was sent to ${address}, and whether it runs there is not known: ${error.message}`,
      {
        hint: `cloison ps ${lab} asks again; it does not run here until that is known`,
        exit: ExitCode.unavailable,
        cause: error,
      },
    );
  }
  if (found === "sent") await way.takeBack(domain);
  return false;
}

/** What is here of domains that are elsewhere goes: processes, disks, interfaces. */
async function removeHere(app: AppContext, stored: StoredLab): Promise<void> {
  const { plan, roots } = stored;
  const source = requireSource(stored);
  const file = parseLab("the lab file", source.text, source.images);
  const moves = await readMoves(app, plan.lab);
  const here = await planFor(app, file, plan.platform, mainPart(Object.keys(file.domains), moves));
  // Those that their user has shut down are not to be made anew.
  await bringUp(app, here, roots, { parallel: 1, source, only: Object.keys(moves) });
}

/** What the other host is told of a domain. */
export async function parcelOf(app: AppContext, stored: StoredLab, domain: DomainPlan): Promise<Parcel> {
  const { plan, roots } = stored;
  const { text, images } = requireSource(stored);
  const root = roots[domain.image];
  if (root === undefined) throw new LabError(`the lab has no image ${domain.image}`);
  return {
    source: { text, images },
    platform: plan.platform,
    domain: domain.name,
    imageKey: keyOfRoot(root),
    moved: await wayOf(app, stored).describe(domain),
    from: await machineName(app),
  };
}

function requireSource({ plan, source }: StoredLab): LabSource {
  if (source !== undefined) return source;
  throw new LabError(`lab ${plan.lab} was made by a run, not by a lab file`, {
    hint: "cloison up makes one of a file",
  });
}

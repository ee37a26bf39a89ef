import { parseLab } from "../../files/lab-file.ts";
import { bringUp } from "../../lab/bring-up.ts";
import { requireStoredLab, type LabSource, type StoredLab } from "../../lab/context.ts";
import { withLabLock } from "../../lab/lab-lock.ts";
import { mainPart, readMoves, writeMove, type Move } from "../../lab/moves.ts";
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
    for (const move of await openMoves(app, lab)) await settleMove(app, lab, move, () => reachHost(app, move.host));
  });
}

async function openMoves(app: AppContext, lab: string): Promise<Move[]> {
  const moves = Object.values(await readMoves(app, lab));
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
  const part = mainPart(Object.keys(file.domains), await readMoves(app, plan.lab));
  await bringUp(app, await planFor(app, file, plan.platform, part), roots, { parallel: 1, source });
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

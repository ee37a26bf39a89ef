import { requireStoredLab } from "../../lab/context.ts";
import { readShownFence } from "../../lab/fences.ts";
import { readMoves, writeMoves, type Move } from "../../lab/moves.ts";
import type { AppContext } from "../context.ts";
import { endHost, hasNewLife, isSilent, runFence, stillSeen, type Ending } from "./fence.ts";
import { addressForStation, lookAt } from "./look.ts";
import { howToShow } from "./rehearse.ts";

/** Whether what ran at a host has ended with it. `unsure`: it may run, so it is started nowhere else. */
export type Verdict =
  | { is: "ended"; domains: string[]; how: Ending; tookMs: number }
  | { is: "there" }
  | { is: "unsure"; detail: string; hint: string | null };

interface DecideOptions {
  /** null: nothing is to be started elsewhere. */
  command: string | null;
  signal: AbortSignal;
  onFencing: (domains: string[]) => void;
}

/**
 * Decides about a host that is missing, or has begun another life, and makes sure of it by a fence that was shown to work. That the
 * domains are lost there, and so are here now, is on the disk when this returns `ended`. The caller holds the lab's lock.
 * @throws FenceFailed
 */
export async function decideEnded(
  app: AppContext,
  lab: string,
  address: string,
  { command, signal, onFencing }: DecideOptions,
): Promise<Verdict> {
  const { clock } = app.host;
  const { plan } = await requireStoredLab(app, lab);
  const away = Object.values(await readMoves(app, lab)).filter((one) => one.phase === "there" && one.host === address);
  const domains = away.map(({ domain }) => domain);
  const names = domains.map(({ name }) => name);
  if (away.length === 0) return { is: "there" };
  const unseen = domains.find((domain) => addressForStation(plan, domain) === null);
  if (unseen !== undefined) {
    return unsure(`the lab's station is on no network of ${unseen.name}, so nobody here sees whether that has ended`);
  }

  const life = lifeOf(away);
  const look = () => lookAt(app, plan, address, domains, signal);
  const first = await look();
  const beganMs = clock.monotonicMs();
  let how: Ending = "anew";
  if (hasNewLife(first, life)) {
    if (command === null) return unsure("it was started anew, so what ran there has ended", withFailover(lab));
  } else {
    if (first.host.is === "there" && first.host.life === (life ?? first.host.life)) return { is: "there" };
    if (!isSilent(first)) return unsure(stillSeen(first));
    if (command === null) return unsure("it does not answer, but may run", withFailover(lab));
    const fence = { host: address, command };
    if ((await readShownFence(app, fence)) === null) {
      return unsure(
        "it does not answer, but may run: that the fence command ends it was not shown",
        howToShow(lab, fence),
      );
    }
    onFencing(names);
    how = await endHost(clock, life, { fence: () => runFence(app, lab, fence, signal), look, signal });
  }
  // Whoever finds this goes on from here, also when nothing more comes of this process.
  await writeMoves(app, lab, Object.fromEntries(away.map((one) => [one.domain.name, { ...one, phase: "lost" }])));
  return { is: "ended", domains: names, how, tookMs: Math.round(clock.monotonicMs() - beganMs) };
}

const unsure = (detail: string, hint: string | null = null): Verdict => ({ is: "unsure", detail, hint });

const withFailover = (lab: string) =>
  `cloison watch ${lab} --failover --fence 'COMMAND' starts here what ran there, once COMMAND has ended the host for sure; see docs/failover.md`;

/** The life in which all of them were seen; null: none is known of all. */
function lifeOf(moves: readonly Move[]): string | null {
  const [life] = moves.flatMap((move) => move.life ?? []);
  return life !== undefined && moves.every((move) => move.life === life) ? life : null;
}

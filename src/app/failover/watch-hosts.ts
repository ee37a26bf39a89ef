import { readStoredLab } from "../../lab/context.ts";
import { forgetShownFence } from "../../lab/fences.ts";
import { withLabLock } from "../../lab/lab-lock.ts";
import { readMoves, waitingHere, writeMoves, type Move } from "../../lab/moves.ts";
import { RestartDelay } from "../../lab/restart-delay.ts";
import type { Snapshot } from "../../lab/snapshot-store.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { sightHost } from "../../remote/sight.ts";
import type { AppContext } from "../context.ts";
import { reachHost, type PartHost } from "../move/parcel.ts";
import { clearLostHost } from "../move/settle.ts";
import { decideEnded } from "./decide-ended.ts";
import { FenceFailed, FenceLied } from "./fence.ts";
import type { HostEvent } from "./host-event.ts";
import { makeHere } from "./make-here.ts";
import { howToShow } from "./rehearse.ts";

const POLL_MS = 5000;
/** So long nothing of a host may be seen before it is taken for missing. */
const MISSING_MS = 30_000;
/** A host that is back, and cannot be cleared, is asked again. */
const CLEAR_AGAIN_MS = 60_000;

interface WatchHostsOptions {
  /** Ends a host; null: what is at a host that is missing is not started here. */
  command: string | null;
  signal: AbortSignal;
  onEvent: (event: HostEvent) => void;
  /** How a domain is made here, and a host asked. */
  make?: typeof makeHere;
  reach?: (app: AppContext, address: string) => Promise<Pick<PartHost, "ask">>;
}

/** What is known of a host that has domains of the lab, or had. */
interface Suspect {
  /** null: it was seen when it was last looked for. */
  missingSinceMs: number | null;
  /** The last thing that was told of it; each is told once. */
  told: string | null;
  delay: RestartDelay;
  dueMs: number;
  clearDueMs: number;
}

/**
 * Watches the hosts that a lab's domains were moved to, until the signal. What ran at one that was seen to have ended is made here; what may run
 * there is not. While another command holds the lab nothing is done.
 */
export async function watchHosts(app: AppContext, lab: string, options: WatchHostsOptions): Promise<void> {
  const { signal } = options;
  const watch = new HostsWatch(app, lab, options);
  try {
    while (!signal.aborted) {
      await watch.look();
      await app.host.clock.sleep(POLL_MS, signal);
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}

class HostsWatch {
  readonly #app: AppContext;
  readonly #lab: string;
  readonly #options: WatchHostsOptions;
  readonly #suspects = new Map<string, Suspect>();
  readonly #makeDelay = new RestartDelay();
  #makeDueMs = 0;

  constructor(app: AppContext, lab: string, options: WatchHostsOptions) {
    this.#app = app;
    this.#lab = lab;
    this.#options = options;
  }

  async look(): Promise<void> {
    // A lab that was removed here may be known still, for what is elsewhere.
    if ((await readStoredLab(this.#app, this.#lab)) === null) return;
    await this.#makeWaiting();
    const moves = Object.values(await readMoves(this.#app, this.#lab));
    const settled = moves.filter(({ phase }) => phase === "there" || phase === "lost");
    for (const address of new Set(settled.map(({ host }) => host))) {
      await this.#lookAtHost(
        address,
        settled.filter(({ host }) => host === address),
      );
    }
    await this.#makeWaiting();
  }

  async #lookAtHost(address: string, moves: readonly Move[]): Promise<void> {
    const suspect = this.#suspect(address);
    const away = moves.filter(({ phase }) => phase === "there");
    const beganMs = this.#nowMs();
    const sight = await sightHost(this.#app.host, address, this.#options.signal);
    if (sight.is === "there") {
      suspect.missingSinceMs = null;
      if (away.length === 0) return this.#clear(address, suspect, moves, sight.life);
      if (away.some(({ life = sight.life }) => life !== sight.life)) return this.#decide(address, suspect);
      await this.#learnLife(address, sight.life);
      return this.#isBack(address, suspect, away);
    }
    suspect.missingSinceMs ??= beganMs;
    const isMissing = this.#nowMs() - suspect.missingSinceMs >= MISSING_MS;
    if (away.length > 0 && isMissing && this.#nowMs() >= suspect.dueMs) await this.#decide(address, suspect);
  }

  async #decide(address: string, suspect: Suspect): Promise<void> {
    const { command, signal, onEvent } = this.#options;
    try {
      const onFencing = (domains: string[]) => onEvent({ event: "fencing", host: address, domains });
      const verdict = await this.#ifFree(() =>
        decideEnded(this.#app, this.#lab, address, { command, signal, onFencing }),
      );
      if (verdict?.is === "unsure") await this.#tell(address, suspect, verdict);
      if (verdict?.is === "there") this.#isBack(address, suspect, await this.#awayAt(address));
      if (verdict?.is === "ended") {
        const { domains, how, tookMs } = verdict;
        suspect.told = null;
        onEvent({ event: "fenced", host: address, domains, how, tookMs });
      }
    } catch (error) {
      if (!(error instanceof FenceFailed) || command === null) throw error;
      const fence = { host: address, command };
      const hasLied = error instanceof FenceLied;
      if (hasLied) await forgetShownFence(this.#app, fence);
      const againInMs = hasLied ? null : suspect.delay.died(this.#nowMs());
      suspect.dueMs = this.#nowMs() + (againInMs ?? 0);
      const hint = hasLied ? howToShow(this.#lab, fence) : null;
      onEvent({ event: "fence-failed", host: address, detail: error.message, hint, againInMs });
    }
  }

  async #tell(address: string, suspect: Suspect, { detail, hint }: { detail: string; hint: string | null }) {
    if (suspect.told === detail) return;
    suspect.told = detail;
    const domains = (await this.#awayAt(address)).map(({ domain }) => domain.name);
    this.#options.onEvent({ event: "lost", host: address, domains, detail, hint });
  }

  #isBack(address: string, suspect: Suspect, away: readonly Move[]): void {
    if (suspect.told === null) return;
    suspect.told = null;
    this.#options.onEvent({ event: "back", host: address, domains: away.map(({ domain }) => domain.name) });
  }

  /** A domain runs in the life in which its host was first seen with it. */
  async #learnLife(address: string, life: string): Promise<void> {
    const isNew = (moves: readonly Move[]) => moves.filter((move) => move.life === undefined);
    if (isNew(await this.#awayAt(address)).length === 0) return;
    await this.#ifFree(async () => {
      const moves = isNew(await this.#awayAt(address));
      await writeMoves(this.#app, this.#lab, byName(moves.map((move) => ({ ...move, life }))));
    });
  }

  /** The host is back without what it had. */
  async #clear(address: string, suspect: Suspect, lost: readonly Move[], life: string): Promise<void> {
    const { command, onEvent, reach = reachHost } = this.#options;
    if (this.#nowMs() < suspect.clearDueMs) return;
    suspect.clearDueMs = this.#nowMs() + CLEAR_AGAIN_MS;
    const ranOn = lost.some((move) => move.life === life);
    if (ranOn && command !== null) await forgetShownFence(this.#app, { host: address, command });
    const isCleared = await this.#ifFree(() =>
      clearLostHost(this.#app, this.#lab, address, () => reach(this.#app, address)),
    );
    const domains = lost.map(({ domain }) => domain.name);
    if (isCleared === true) onEvent({ event: "cleared", host: address, domains, ranOn });
  }

  /** Makes here what is this host's by record, and not here: just decided, or left so by a watch that was killed. */
  async #makeWaiting(): Promise<void> {
    const { signal, onEvent, make = makeHere } = this.#options;
    if ((await this.#waiting()).length === 0 || this.#nowMs() < this.#makeDueMs) return;
    const beganMs = this.#nowMs();
    try {
      const made = await this.#ifFree(async () => make(this.#app, this.#lab, await this.#waiting(), signal));
      const tookMs = Math.round(this.#nowMs() - beganMs);
      const moves = await readMoves(this.#app, this.#lab);
      for (const [domain, snapshot] of made ?? []) {
        const host = moves[domain]?.host ?? "";
        onEvent({ event: "taken-over", domain, host, snapshot: this.#aged(snapshot), tookMs });
        this.#makeDelay.started(this.#nowMs());
      }
    } catch (error) {
      if (!(error instanceof LabError) || signal.aborted) throw error;
      const againInMs = this.#makeDelay.died(this.#nowMs());
      this.#makeDueMs = this.#nowMs() + againInMs;
      const { message: detail, hint = null } = error;
      onEvent({ event: "take-over-failed", domains: await this.#waiting(), detail, hint, againInMs });
    }
  }

  #aged(snapshot: Snapshot | null) {
    if (snapshot === null) return null;
    const { name, createdAt } = snapshot;
    return { name, createdAt, ageMs: this.#app.host.clock.nowMs() - Date.parse(createdAt) };
  }

  async #waiting(): Promise<string[]> {
    const stored = await readStoredLab(this.#app, this.#lab);
    return stored === null ? [] : waitingHere(stored, await readMoves(this.#app, this.#lab));
  }

  async #awayAt(address: string): Promise<Move[]> {
    const moves = Object.values(await readMoves(this.#app, this.#lab));
    return moves.filter(({ phase, host }) => phase === "there" && host === address);
  }

  /** @returns null: another command holds the lab */
  async #ifFree<T>(work: () => Promise<T>): Promise<T | null> {
    const { host, paths } = this.#app;
    try {
      return await withLabLock(host, paths, this.#lab, 0, work);
    } catch (error) {
      if (error instanceof LabError && error.exit === ExitCode.busy) return null;
      throw error;
    }
  }

  #suspect(address: string): Suspect {
    const known = this.#suspects.get(address);
    if (known !== undefined) return known;
    const fresh = { missingSinceMs: null, told: null, delay: new RestartDelay(), dueMs: 0, clearDueMs: 0 };
    this.#suspects.set(address, fresh);
    return fresh;
  }

  #nowMs = () => this.#app.host.clock.monotonicMs();
}

const byName = (moves: readonly Move[]) => Object.fromEntries(moves.map((move) => [move.domain.name, move]));

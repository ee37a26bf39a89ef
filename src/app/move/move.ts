import { requireStoredLab, type StoredLab } from "../../lab/context.ts";
import { withLabLock } from "../../lab/lab-lock.ts";
import { readMoves, writeMove, type Move } from "../../lab/moves.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { parseHostAddress } from "../../model/host-address.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import type { Workspace } from "../../platforms/platform.ts";
import type { AppContext } from "../context.ts";
import { findDomain } from "../inspect.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { reachHost } from "./parcel.ts";
import { parcelOf, requireCleared, settleMove, settleMoves } from "./settle.ts";
import type { Silence } from "./silence.ts";
import { wayOf } from "./way.ts";

const LOCK_WAIT_MS = 2000;

export interface Moved {
  lab: string;
  domain: string;
  host: string;
  tookMs: number;
  /** null: the lab's station is on none of its networks, and could not ask. */
  silence: Silence | null;
}

interface MoveOptions {
  signal?: AbortSignal | undefined;
  onProgress?: (text: string) => void;
}

/**
 * Moves a domain that runs to another host, where it goes on with its disk, memory, addresses and connections. What is not
 * as it has to be is found before anything is changed; what fails later leaves the domain as it was.
 */
export async function move(
  app: AppContext,
  lab: string,
  name: string,
  to: string,
  { signal, onProgress = () => undefined }: MoveOptions = {},
): Promise<Moved> {
  requireRoot(app, "move");
  requireAddress(to);
  await requireStoredLab(app, lab);
  await settleMoves(app, lab);
  const beganMs = app.host.clock.monotonicMs();
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    const { domain, plan, workspace } = await findDomain(app, lab, name);
    const stored = await requireStoredLab(app, lab);
    const way = wayOf(app, stored);
    requireMovable(stored, domain);
    await requireCleared(app, lab, domain.name, to);
    await requireRuns(app, plan, domain, workspace);
    await requirePackages(app, [...way.packages, "iputils-ping"]);
    onProgress(`asking ${to}`);
    const there = await reachHost(app, to, signal);
    const parcel = await parcelOf(app, stored, domain);
    await there.ask("check", lab, parcel);

    const begun: Move = { host: to, phase: "copying", domain };
    await writeMove(app, lab, domain.name, begun);
    const probe = await way.probe(domain);
    const onSwitching = () => writeMove(app, lab, domain.name, { ...begun, phase: "switching" });
    let failure: unknown = null;
    try {
      await way.send(domain, there, parcel, { onProgress, onSwitching, signal });
    } catch (error) {
      failure = error;
    }
    // Whatever it was that ended it, there is one who decides.
    onProgress("seeing where it is");
    const reached = (await readMoves(app, lab))[domain.name] ?? begun;
    let place: "here" | "there";
    try {
      place = await settleMove(app, lab, reached, () => reachHost(app, to));
    } finally {
      await probe?.stop();
    }
    if (place === "here") throw goesOnHere(domain, to, failure);
    const silence = probe?.heard() ?? null;
    return { lab, domain: domain.name, host: to, tookMs: Math.round(app.host.clock.monotonicMs() - beganMs), silence };
  });
}

function goesOnHere({ name }: DomainPlan, to: string, failure: unknown): unknown {
  const message = failure instanceof Error ? failure.message : `it did not go on there`;
  if (failure !== null && !(failure instanceof LabError)) return failure;
  return new LabError(`${message}\ndomain ${name} was not moved to ${to}, and goes on here`, {
    ...(failure?.hint === undefined ? {} : { hint: failure.hint }),
    ...(failure === null ? {} : { exit: failure.exit, cause: failure }),
  });
}

function requireAddress(to: string): void {
  if (to === "local") {
    throw new LabError("a domain cannot be moved back yet", {
      hint: "cloison down removes what is there, and up makes the domain here anew",
      exit: ExitCode.usage,
    });
  }
  if (parseHostAddress(to) !== null) return;
  throw new LabError(`${to} is no host`, {
    hint: "write ssh://name, ssh://user@name or ssh://user@name:port",
    exit: ExitCode.usage,
  });
}

/** Its networks have to be there, too: those that a real wire carries. */
function requireMovable(stored: StoredLab, { name, vifs }: DomainPlan): void {
  const { plan, source } = stored;
  if (source?.part !== undefined) {
    throw new LabError(`lab ${plan.lab} here is what ${source.part.of} has moved here`, {
      hint: "move the domain from there",
      exit: ExitCode.usage,
    });
  }
  for (const { network } of vifs) {
    const { mode, lan } = plan.networks.find((one) => one.name === network) ?? { mode: "isolated", lan: null };
    if (mode === "bridge" && plan.uplinks.some((uplink) => uplink.lan === lan)) continue;
    const why = mode === "bridge" ? "has no uplink" : `is of mode ${mode}`;
    throw new LabError(`domain ${name} cannot be moved: its network ${network} ${why}, so it ends at this host`, {
      hint: "give it `uplink: INTERFACE`, a wire that both hosts are on (mode bridge); see docs/move.md",
      exit: ExitCode.usage,
    });
  }
}

async function requireRuns(app: AppContext, plan: LabPlan, { name }: DomainPlan, workspace: Workspace): Promise<void> {
  const states = await app.platforms[plan.platform].list(app.host, workspace, plan);
  const state = states.find((one) => one.name === name)?.state ?? "stopped";
  if (state === "running") return;
  throw new LabError(`domain ${name} is ${state}, and only one that runs can be moved`, {
    hint: "cloison resume, or cloison up, lets it run",
  });
}

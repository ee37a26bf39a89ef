import { requireStoredLab, type LabSource, type StoredLab } from "../../lab/context.ts";
import { LOCK_WAIT_MS, withLabLock } from "../../lab/lab-lock.ts";
import { OWN, placeOf, readMoves, writeMove, type Move, type Place } from "../../lab/moves.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { parseHostAddress } from "../../model/host-address.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { carryFile, joinSockets } from "../../remote/carry.ts";
import type { AppContext } from "../context.ts";
import { findDomain } from "../inspect.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { reachEnd, type End } from "./end.ts";
import { wayOf } from "./going.ts";
import type { Hears, Parcel } from "./parcel.ts";
import { requireCleared, settleMove, settleMoves } from "./settle.ts";
import { startProbe, startStopwatch, type Silence } from "./silence.ts";

export interface Moved {
  lab: string;
  domain: string;
  /** `local`: the lab's own. */
  host: Place;
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
  to: Place,
  { signal, onProgress = () => undefined }: MoveOptions = {},
): Promise<Moved> {
  requireRoot(app, "move");
  requirePlace(to);
  await requireStoredLab(app, lab);
  await settleMoves(app, lab);
  const beganMs = app.host.clock.monotonicMs();
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    const stored = await requireStoredLab(app, lab);
    const { plan } = stored;
    const source = requireOwn(stored);
    const way = wayOf(app.platforms[plan.platform]);
    const { domain, from } = await findMovable(app, lab, name, to);
    requireWires(stored, domain);
    await requireCleared(app, lab, name, [from, to]);
    await requirePackages(app, ["iputils-ping"]);
    onProgress(`asking ${to === OWN ? from : to}`);
    const ends = { source: await reachEnd(app, from, signal), target: await reachEnd(app, to, signal) };
    const described = await ends.source.ask("describe", lab, { domain: name });
    const { text, images } = source;
    const parcel: Parcel = { source: { text, images }, platform: plan.platform, domain: name, ...described };
    await ends.target.ask("check", lab, parcel);

    const begun: Move = { from, to, phase: "copying", domain };
    await writeMove(app, lab, name, begun);
    const probe = way.kind === "live" ? await startProbe(app.host, plan, domain) : startStopwatch(app.host);
    let failure: unknown = null;
    try {
      await transfer(app, lab, ends, parcel, {
        onProgress,
        onStill: () => probe?.still(),
        onSwitching: () => writeMove(app, lab, name, { ...begun, phase: "switching" }),
        signal,
      });
    } catch (error) {
      failure = error;
    }
    // Whatever it was that ended it, there is one who decides.
    onProgress("seeing where it is");
    const reached = (await readMoves(app, lab))[name] ?? begun;
    let place: Place;
    try {
      place = await settleMove(app, lab, reached, failure === null);
    } finally {
      await probe?.stop();
    }
    if (place !== to) throw wentOn(begun, failure);
    const silence = probe?.heard() ?? null;
    return { lab, domain: name, host: to, tookMs: Math.round(app.host.clock.monotonicMs() - beganMs), silence };
  });
}

/** Has it made at the target, carries what is to be carried, and has it sent. @throws LabError when it was not sent */
async function transfer(
  app: AppContext,
  lab: string,
  { source, target }: { source: End; target: End },
  parcel: Parcel,
  hears: Hears,
): Promise<void> {
  const { domain, platform } = parcel;
  const { kind: way } = wayOf(app.platforms[platform]);
  const { host, paths } = app;
  const close: (() => Promise<void>)[] = [];
  const between = `${paths.run}/move/${lab}`;
  try {
    hears.onProgress("making it there");
    const comes = await target.ask("receive", lab, parcel);
    const goes = await source.ask("offer", lab, { domain }, hears);
    for (const [what, path] of Object.entries(goes)) {
      const from = { connection: source.connection, path };
      const to = { connection: target.connection, path: comes[what] ?? "" };
      if (way === "stopped") await carryFile(host, from, to, hears.signal);
      else close.push(await joinSockets(host, from, to, `${between}/${domain}.${what}`));
    }
    await source.ask("send", lab, { domain }, hears);
  } finally {
    for (const one of close) await one();
    await host.files.remove(between);
  }
}

function wentOn({ from, to, domain }: Move, failure: unknown): unknown {
  const message = failure instanceof Error ? failure.message : "it did not go on there";
  if (failure !== null && !(failure instanceof LabError)) return failure;
  const end = `${to === OWN ? "back" : `to ${to}`}, and stays ${from === OWN ? "here" : `on ${from}`}`;
  return new LabError(`${message}\ndomain ${domain.name} was not moved ${end}`, {
    ...(failure?.hint === undefined ? {} : { hint: failure.hint }),
    ...(failure === null ? {} : { exit: failure.exit, cause: failure }),
  });
}

function requirePlace(to: Place): void {
  if (to === OWN || parseHostAddress(to) !== null) return;
  throw new LabError(`${to} is no host`, {
    hint: "write ssh://name, ssh://user@name or ssh://user@name:port; or local, for the lab's own",
    exit: ExitCode.usage,
  });
}

function requireOwn({ plan, source }: StoredLab): LabSource {
  if (source === undefined) {
    throw new LabError(`lab ${plan.lab} was made by a run, not by a lab file`, {
      hint: "cloison up makes one of a file",
    });
  }
  if (source.part === undefined) return source;
  throw new LabError(`lab ${plan.lab} here is what ${source.part.of} has moved here`, {
    hint: "move the domain from there",
    exit: ExitCode.usage,
  });
}

async function findMovable(
  app: AppContext,
  lab: string,
  name: string,
  to: Place,
): Promise<{ domain: DomainPlan; from: Place }> {
  const { [name]: moved } = await readMoves(app, lab);
  const from = moved === undefined ? OWN : placeOf(moved);
  if (from === to) {
    throw new LabError(`domain ${name} of lab ${lab} is ${to === OWN ? "with its lab" : `on ${to}`} already`, {
      exit: ExitCode.usage,
    });
  }
  if (moved !== undefined && from !== OWN) return { domain: moved.domain, from };
  return { domain: (await findDomain(app, lab, name)).domain, from };
}

/** Its networks have to be there, too: those that a real wire carries. */
function requireWires({ plan }: StoredLab, { name, vifs }: DomainPlan): void {
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

import { labNames } from "../lab/inventory.ts";
import { readStoredLab, requireStoredLab, workspaceOf, type StoredLab } from "../lab/context.ts";
import { OWN, placeOf, readMoves, type Move } from "../lab/moves.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { PlatformName } from "../model/lab.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import type { AppContext } from "./context.ts";
import { settleMoves } from "./move/settle.ts";

/** One row of `cloison ls`. */
export interface LabRow {
  lab: string;
  platform: PlatformName | null;
  domains: number | null;
  running: number | null;
  /** incomplete: an `up` was cut off, or another one is at work; `cloison down` removes it. */
  state: "up" | "partly up" | "incomplete";
}

/** All labs of the machine. */
export async function listLabs(app: AppContext): Promise<LabRow[]> {
  return Promise.all(
    (await labNames(app)).map(async (lab): Promise<LabRow> => {
      const stored = await readStoredLab(app, lab);
      if (stored === null) return { lab, platform: null, domains: null, running: null, state: "incomplete" };
      const rows = await domainRows(app, stored);
      const running = rows.filter(({ state }) => state === "running").length;
      return {
        lab,
        platform: stored.plan.platform,
        domains: rows.length,
        running,
        state: running === rows.length ? "up" : "partly up",
      };
    }),
  );
}

/** One row of `cloison ps`. */
export interface DomainRow {
  lab: string;
  id: number;
  domain: string;
  /** Domains of the lab file that live in it; more than one on `shared`. */
  members: string[];
  platform: PlatformName;
  state: string;
  /** Of one that does not run: why, if that is known. */
  detail: string | null;
  pid: number | null;
  interfaces: {
    vif: string;
    network: string;
    /** `nat`, `vlan 2 (openvswitch)` */
    mode: string;
    mac: string;
    address: string;
  }[];
}

/** The domains of a lab, as the platform finds them now; and those that were moved, of which is told where they are. */
export async function listDomains(app: AppContext, lab: string): Promise<DomainRow[]> {
  await requireStoredLab(app, lab);
  await settleIfFree(app, lab);
  const stored = await requireStoredLab(app, lab);
  const moved = movedRows(stored.plan, await readMoves(app, lab));
  // One that is on its way back has something here that waits for it.
  const here = (await domainRows(app, stored)).filter(({ domain }) => moved.every((row) => row.domain !== domain));
  return [...here, ...moved].sort((a, b) => a.id - b.id);
}

/** What a move that was cut off has left open is decided; one that is under way is left alone. */
async function settleIfFree(app: AppContext, lab: string): Promise<void> {
  if (!app.isRoot) return;
  try {
    await settleMoves(app, lab, 0);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    if (error.exit !== ExitCode.busy) app.say(error.message);
  }
}

function movedRows(plan: LabPlan, moves: Record<string, Move>): DomainRow[] {
  return Object.values(moves).flatMap((move) =>
    placeOf(move) === OWN ? [] : [rowOf(plan, move.domain, { state: "moved", detail: `it is on ${placeOf(move)}` })],
  );
}

async function domainRows(app: AppContext, { plan, roots }: StoredLab): Promise<DomainRow[]> {
  const states = await app.platforms[plan.platform].list(app.host, workspaceOf(app, plan.lab, roots), plan);
  const byName = new Map(states.map((state) => [state.name, state]));
  return plan.domains.map((domain) => rowOf(plan, domain, byName.get(domain.name)));
}

function rowOf(
  plan: LabPlan,
  domain: DomainPlan,
  state: { state: string; detail?: string; pid?: number | null } | undefined,
): DomainRow {
  const modes = new Map(
    plan.networks.map(({ name, mode, vlan }) => [name, vlan === null ? mode : `${mode} ${vlan.id} (${vlan.backend})`]),
  );
  return {
    lab: plan.lab,
    id: domain.id,
    domain: domain.name,
    members: domain.members,
    platform: plan.platform,
    state: state?.state ?? "stopped",
    detail: state?.detail ?? null,
    pid: state?.pid ?? null,
    interfaces: domain.vifs.map(({ vif, network, mac, address }) => ({
      vif,
      network,
      mode: modes.get(network) ?? "",
      mac,
      address,
    })),
  };
}

/** Finds a domain of a lab by its own name, or by the name of one of its members. */
export async function findDomain(app: AppContext, lab: string, name: string) {
  const { plan, roots } = await requireStoredLab(app, lab);
  const domain = plan.domains.find((candidate) => candidate.name === name || candidate.members.includes(name));
  const { [name]: moved } = await readMoves(app, lab);
  const place = moved === undefined ? OWN : placeOf(moved);
  if (place !== OWN) {
    throw new LabError(`domain ${name} of lab ${lab} is on ${place}`, {
      hint: `ask it there: cloison --host ${place} … ${lab} ${name}`,
    });
  }
  if (domain === undefined) {
    throw new LabError(`lab ${lab} has no domain ${name}`, {
      hint: `it has ${plan.domains.flatMap(({ members }) => members).join(", ")}`,
      exit: ExitCode.usage,
    });
  }
  return { plan, domain, platform: app.platforms[plan.platform], workspace: workspaceOf(app, lab, roots) };
}

import { labNames } from "../lab/inventory.ts";
import { readStoredLab, requireStoredLab, workspaceOf, type StoredLab } from "../lab/context.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { PlatformName } from "../model/lab.ts";
import type { AppContext } from "./context.ts";

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

/** The domains of a lab, as the platform finds them now. */
export async function listDomains(app: AppContext, lab: string): Promise<DomainRow[]> {
  return domainRows(app, await requireStoredLab(app, lab));
}

async function domainRows(app: AppContext, { plan, roots }: StoredLab): Promise<DomainRow[]> {
  const states = await app.platforms[plan.platform].list(app.host, workspaceOf(app, plan.lab, roots), plan);
  const byName = new Map(states.map((state) => [state.name, state]));
  const modes = new Map(
    plan.networks.map(({ name, mode, vlan }) => [name, vlan === null ? mode : `${mode} ${vlan.id} (${vlan.backend})`]),
  );
  return plan.domains.map((domain): DomainRow => {
    const state = byName.get(domain.name);
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
  });
}

/** Finds a domain of a lab by its own name, or by the name of one of its members. */
export async function findDomain(app: AppContext, lab: string, name: string) {
  const { plan, roots } = await requireStoredLab(app, lab);
  const domain = plan.domains.find((candidate) => candidate.name === name || candidate.members.includes(name));
  if (domain === undefined) {
    throw new LabError(`lab ${lab} has no domain ${name}`, {
      hint: `it has ${plan.domains.flatMap(({ members }) => members).join(", ")}`,
      exit: ExitCode.usage,
    });
  }
  return { plan, domain, platform: app.platforms[plan.platform], workspace: workspaceOf(app, lab, roots) };
}

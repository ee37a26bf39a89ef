import { withLabLock } from "../../lab/lab-lock.ts";
import { leasesTaken } from "../../lab/leases.ts";
import { startDhcpServers, startOutsideWeb } from "../../lab/services.ts";
import { applyNetwork } from "../../netstate/apply.ts";
import { formatChange, type Change } from "../../netstate/change.ts";
import { labSwitches } from "../../lab/switches.ts";
import type { AppContext } from "../context.ts";
import { requireRoot } from "../packages.ts";
import { driftLines } from "./diff.ts";
import { readDrift, type Drift } from "./drift.ts";
import { forgetNeighbours } from "./forget-neighbours.ts";
import { planOfRunning } from "./lab-network.ts";

/** What `repair` did, and what it left. */
export interface Repaired {
  changes: Change[];
  /** Programs that were started again. */
  programs: string[];
  /** Learned neighbours that were forgotten. */
  forgotten: string[];
  /** What still differs afterwards, a line each. */
  left: string[];
  foreign: Drift["foreign"];
}

const LOCK_WAIT_MS = 500;

/** Brings a lab's network back to its plan with the fewest changes; what is right, and what is another's, is not touched. */
export async function repair(app: AppContext, nameOrFile: string): Promise<Repaired> {
  requireRoot(app, "net repair");
  const plan = await planOfRunning(app, nameOrFile);
  return withLabLock(app.host, app.paths, plan.lab, LOCK_WAIT_MS, async () => {
    const before = await readDrift(app, plan);
    const changes = await applyNetwork(app.host, plan.network, { switches: labSwitches(app.paths, plan) });
    if (before.programs.length > 0) {
      const started = await Promise.all([startOutsideWeb(app, plan), startDhcpServers(app, plan)]);
      await Promise.all(started.map(({ listening }) => listening));
    }
    forgetNeighbours(app, before.poisoned);
    if (before.leases.length > 0) {
      const waiting = new Set(before.leases.map(({ namespace }) => namespace));
      await leasesTaken(
        app,
        plan,
        plan.domains.filter(({ namespace }) => waiting.has(namespace)),
      );
    }
    const after = await readDrift(app, plan);
    return {
      changes,
      programs: before.programs,
      forgotten: before.poisoned.map(({ namespace, address, mac }) => `${namespace}: ${address} is at ${mac}`),
      left: driftLines(after),
      foreign: after.foreign,
    };
  });
}

/** What `net repair` prints. */
export function repairText({ changes, programs, forgotten, left, foreign }: Repaired): string {
  const done = [
    ...changes.map((change) => `mended ${formatChange(change)}`),
    ...programs.map((program) => `started ${program}`),
    ...forgotten.map((entry) => `forgot ${entry}`),
  ];
  return [
    ...(done.length === 0 && left.length === 0 ? ["nothing to repair"] : done),
    ...left.map((line) => `still: ${line}`),
    ...foreign.map(({ namespace, table }) => `left alone ${namespace}: table ${table}, which is not Cloison's`),
  ].join("\n");
}

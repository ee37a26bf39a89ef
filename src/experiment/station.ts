import { labCgroup } from "../lab/paths.ts";
import { limitLanProgram } from "../lab/services.ts";
import type { LabContext } from "../lab/context.ts";
import { createLoadClient } from "../load/client.ts";
import type { LoadClient } from "../load/load.ts";
import type { Engine } from "../model/samples.ts";
import type { LabPlan } from "../model/plan.ts";

/** Whoever measures runs before whoever disturbs, where they share a CPU. */
const PROBE_NICE = -15;
/** A transfer takes the CPU for as long as it can get it, which the probes beside it would miss. */
const TRANSFER_NICE = 0;
const FLOOD_NICE = 10;

/** Room for the columns of a flood's millions of requests. */
const MEMORY_LIMIT_BYTES = 3 * 2 ** 30;
/** A client has about a dozen threads, most of them Node's own; an experiment may have dozens of clients. */
const PIDS_LIMIT = 2000;

/** The measuring machine of a lab: a client process for every probe and every flood, kept from trial to trial. */
export interface Station {
  /** @param name one client a name; a client does one job at a time */
  probe(name: string): Promise<LoadClient>;
  transfer(name: string): Promise<LoadClient>;
  flood(name: string): Promise<LoadClient>;
  close(): Promise<void>;
}

/** @param engine forces one; default: each client finds out by trying */
export function createStation(context: LabContext, plan: LabPlan, engine: Engine | null): Station {
  const clients = new Map<string, Promise<LoadClient>>();
  const cgroup = `${labCgroup(plan.lab)}/station`;
  let limited: Promise<void> | null = null;
  const limit = async () => {
    await limitLanProgram(context, cgroup, MEMORY_LIMIT_BYTES);
    await context.host.cgroups.write(cgroup, "pids", "pids.max", `${PIDS_LIMIT}`);
  };
  const client = (name: string, cpus: number[], nice: number) => {
    const present = clients.get(name);
    if (present !== undefined) return present;
    limited ??= limit();
    const created = limited.then(() =>
      createLoadClient(context.host, {
        namespace: plan.machines.station.namespace,
        cgroup,
        cpus,
        nice,
        ...(engine === null ? {} : { engine }),
      }),
    );
    clients.set(name, created);
    return created;
  };
  return {
    probe: (name) => client(`probe ${name}`, plan.placement.probe, PROBE_NICE),
    transfer: (name) => client(`transfer ${name}`, plan.placement.probe, TRANSFER_NICE),
    flood: (name) => client(`flood ${name}`, plan.placement.station, FLOOD_NICE),
    async close() {
      const settled = await Promise.allSettled(clients.values());
      // A client that did not start was told of when it was asked for.
      await Promise.all(settled.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])));
    },
  };
}

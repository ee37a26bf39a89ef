import { LabError } from "../../model/error.ts";
import { isWithin } from "../../model/ip-range.ts";
import type { DomainPlan, LabPlan } from "../../model/plan.ts";
import { sightHost, type Sight } from "../../remote/sight.ts";
import type { AppContext } from "../context.ts";

/** A host by both of its ways: ssh, and the wire that its domains are on. */
export interface Look {
  host: Sight;
  /** Domains for whose address somebody answers on the wire. */
  onWire: string[];
}

/** Looks at a host and at domains that are there. Where the wire cannot be asked, nothing is clear. */
export async function lookAt(
  app: AppContext,
  plan: LabPlan,
  address: string,
  domains: readonly DomainPlan[],
  signal?: AbortSignal,
): Promise<Look> {
  try {
    const [host, ...seen] = await Promise.all([
      sightHost(app.host, address, signal),
      ...domains.map(async (domain) => ((await isOnWire(app, plan, domain, signal)) ? [domain.name] : [])),
    ]);
    return { host, onWire: seen.flat() };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof LabError)) throw error;
    return { host: { is: "unclear", detail: error.message }, onWire: [] };
  }
}

/** The address at which the lab's station can ask for a domain; null: it is on none of its networks. */
export function addressForStation({ machines }: LabPlan, { vifs }: DomainPlan): string | null {
  const vif = vifs.find(({ address, prefix }) => isWithin(machines.station.address, `${address}/${prefix}`));
  return vif?.address ?? null;
}

/** Whoever has an address answers ARP, whatever else it answers. Ping only makes the kernel ask; without an answer it ends with 1. */
const ASK = `ip neigh flush to "$1" 2>/dev/null; ping -n -c 1 -W 1 "$1" >/dev/null || [ $? -eq 1 ]; ip neigh show to "$1"`;

async function isOnWire(app: AppContext, plan: LabPlan, domain: DomainPlan, signal?: AbortSignal): Promise<boolean> {
  const address = addressForStation(plan, domain);
  if (address === null) throw new LabError(`the lab's station is on none of the networks of ${domain.name}`);
  const neighbours = await app.host.processes.must({
    argv: ["sh", "-ec", ASK, "ask", address],
    namespace: plan.machines.station.namespace,
    ...(signal === undefined ? {} : { signal }),
  });
  return neighbours.includes(" lladdr ");
}

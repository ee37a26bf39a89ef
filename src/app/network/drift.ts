import type { NetworkState, Neighbour } from "../../model/network-state.ts";
import type { LabPlan, NamespaceName } from "../../model/plan.ts";
import { observeLab } from "../../lab/observe-lab.ts";
import { programsDown } from "../../lab/services.ts";
import type { Change } from "../../netstate/change.ts";
import { diffNetwork } from "../../netstate/diff.ts";
import type { AppContext } from "../context.ts";

/** All that separates a lab's network from its plan. */
export interface Drift {
  /** What `repair` would do. */
  changes: Change[];
  /** DHCP and web servers of the lab that do not run. */
  programs: string[];
  /** Interfaces that DHCP has not given the address that the plan fixes. */
  leases: { namespace: NamespaceName; link: string; address: string }[];
  /** Entries that ARP has learned and that name another MAC than the plan gives the address: somebody lies, or has lied. */
  poisoned: ({ namespace: NamespaceName; expected: string } & Neighbour)[];
  /** Tables of others; no drift, and never touched, but they may stop packets. */
  foreign: { namespace: NamespaceName; table: string }[];
}

/** Whether `diff` has anything that `repair` can mend. */
export function isDrift({ changes, programs, leases, poisoned }: Drift): boolean {
  return changes.length + programs.length + leases.length + poisoned.length > 0;
}

/** Reads the kernel, and compares. `observed` is what was read, for walks. */
export async function readDrift(app: AppContext, plan: LabPlan): Promise<Drift & { observed: NetworkState }> {
  const observed = await observeLab(app, plan);
  return {
    observed,
    changes: diffNetwork(plan.network, observed),
    programs: await programsDown(app, plan),
    leases: leasesMissing(plan, observed),
    poisoned: poisonedEntries(plan, observed),
    foreign: Object.keys(plan.network).flatMap((namespace) =>
      Object.keys(observed[namespace]?.observed?.foreignTables ?? {}).map((table) => ({ namespace, table })),
    ),
  };
}

function leasesMissing(plan: LabPlan, observed: NetworkState): Drift["leases"] {
  return plan.domains.flatMap(({ namespace, vifs }) => {
    // What a guest's client has set is not seen from here.
    if (plan.network[namespace]?.guest === true) return [];
    const taken = observed[namespace]?.observed?.leasedAddresses ?? [];
    return vifs
      .filter(({ configuration }) => configuration === "dhcp")
      .filter(({ guest, address }) => !taken.some((one) => one.link === guest && one.address === address))
      .map(({ guest, address }) => ({ namespace, link: guest, address }));
  });
}

function poisonedEntries(plan: LabPlan, observed: NetworkState): Drift["poisoned"] {
  const macs = new Map(
    plan.endpoints.flatMap(({ interfaces }) =>
      interfaces.flatMap(({ addresses, mac }) => addresses.map((address) => [address, mac] as const)),
    ),
  );
  const known = new Set(Object.values(plan.network).flatMap(({ links }) => links.map(({ mac }) => mac)));
  return Object.entries(observed).flatMap(([namespace, state]) =>
    (state.observed?.learned ?? []).flatMap((entry) => {
      const expected = macs.get(entry.address);
      // With proxy ARP the host answers for its guests, by whatever interface: a MAC of the lab's own is no lie.
      if (expected === undefined || entry.mac === null || known.has(entry.mac)) return [];
      return [{ namespace, expected, ...entry }];
    }),
  );
}

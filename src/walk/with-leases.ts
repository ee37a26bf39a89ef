import type { Address, NetworkState, Route } from "../model/network-state.ts";
import type { DomainPlan } from "../model/plan.ts";

/** The network wanted, with what DHCP will set inside the domains: a wanted state says nothing of leased links. Pure. */
export function withLeases(state: NetworkState, domains: readonly DomainPlan[]): NetworkState {
  const leased = { ...state };
  for (const { namespace, vifs } of domains) {
    const part = state[namespace];
    const byDhcp = vifs.filter(({ configuration }) => configuration === "dhcp");
    if (part === undefined || byDhcp.length === 0) continue;
    const leasedAddresses: Address[] = byDhcp.map(({ guest, address, prefix }) => ({ link: guest, address, prefix }));
    const leasedRoutes: Route[] = byDhcp.flatMap(({ guest, gateway, defaultRoute }) =>
      gateway !== null && defaultRoute ? [{ destination: "default", via: gateway, link: guest }] : [],
    );
    leased[namespace] = {
      ...part,
      observed: { learned: [], foreignTables: {}, unmodelled: [], ...part.observed, leasedAddresses, leasedRoutes },
    };
  }
  return leased;
}

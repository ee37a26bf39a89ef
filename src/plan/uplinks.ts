import type { LabPlan } from "../model/plan.ts";

/**
 * The plan of a lab in which real interfaces join networks: there the real LAN's router is the gateway, so the lab's own has
 * no address, and the lab serves no DHCP to machines that are not its own.
 */
export function withUplinks(plan: LabPlan): LabPlan {
  const { uplinks, lanNamespace } = plan;
  const state = plan.network[lanNamespace];
  if (uplinks.length === 0 || state === undefined) return plan;
  const bridges = new Set(uplinks.map(({ lan }) => `lan${lan}`));
  return {
    ...plan,
    dhcp: plan.dhcp.filter((server) => server.namespace !== lanNamespace || !bridges.has(server.interface)),
    network: {
      ...plan.network,
      [lanNamespace]: {
        ...state,
        addresses: state.addresses.filter(({ link }) => !bridges.has(link)),
        joined: uplinks.map(({ lan }) => `card${lan}`),
      },
    },
  };
}

import { lanOf } from "../model/lab-networks.ts";
import type { Lab } from "../model/lab.ts";
import type { DhcpPlan, LabPlan, NamespaceName } from "../model/plan.ts";
import type { PlannedDomain } from "./domains.ts";
import { outsideOf } from "./machines.ts";
import { indexOf } from "./network.ts";
import type { Segments } from "./segments.ts";

/**
 * The DHCP servers: the company's on every LAN with bridged guests, the host's (with DNS) on every NAT network; on other
 * networks where a guest asks for one: on a VLAN the outside machine's, on an isolated network the host's.
 */
export function planDhcp(
  lab: Lab,
  segments: Segments,
  domains: readonly PlannedDomain[],
  machines: LabPlan["machines"],
  { host, lan }: { host: NamespaceName; lan: NamespaceName },
): DhcpPlan[] {
  return Object.entries(lab.networks).flatMap(([name, network]): DhcpPlan[] => {
    const pool = segments.ofNetwork(name);
    const vifs = domains.flatMap(({ plan }) =>
      plan.vifs.filter((vif) => vif.network === name).map((vif) => ({ ...vif, hostname: plan.hostname })),
    );
    const leases = vifs.map(({ mac, address, hostname }) => ({ mac, address, hostname }));
    const own = { server: pool.gateway, prefix: pool.prefix, leases };
    const isAsked = vifs.some(({ configuration }) => configuration === "dhcp");
    switch (network.mode) {
      case "bridge": {
        const index = lanOf(segments.lans, name, network)?.index ?? 0;
        return [{ ...own, namespace: lan, interface: `lan${index}`, router: pool.gateway, dns: null }];
      }
      case "routed":
        return [];
      case "nat": {
        const dns = namesSeenFrom(lab, name, domains);
        return [{ ...own, namespace: host, interface: `natbr${indexOf(lab, name)}`, router: pool.gateway, dns }];
      }
      case "isolated":
        if (!isAsked || !network.host) return [];
        return [{ ...own, namespace: host, interface: `isobr${indexOf(lab, name)}`, router: null, dns: null }];
      case "vlan": {
        const outside = machines[outsideOf(name)];
        if (!isAsked || outside === undefined) return [];
        return [
          { ...own, server: outside.address, namespace: outside.namespace, interface: "eth0", router: null, dns: null },
        ];
      }
    }
  });
}

/** Every domain by name: its address on this network, else the one on a LAN, which this network's guests reach. */
function namesSeenFrom(
  lab: Lab,
  network: string,
  domains: readonly PlannedDomain[],
): { name: string; address: string }[] {
  const isOnLan = (other: string) => ["bridge", "routed"].includes(lab.networks[other]?.mode ?? "");
  return domains.flatMap(({ plan, context }) => {
    const vif = plan.vifs.find((one) => one.network === network) ?? plan.vifs.find((one) => isOnLan(one.network));
    return vif === undefined ? [] : context.members.map((name) => ({ name, address: vif.address }));
  });
}

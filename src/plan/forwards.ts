import { lanOf } from "../model/lab-networks.ts";
import type { Lab } from "../model/lab.ts";
import type { LabPlan } from "../model/plan.ts";
import type { Context } from "./merge.ts";
import type { PlannedDomain } from "./domains.ts";
import type { Segments } from "./segments.ts";

/** A port of the host that leads to a domain behind NAT. */
export interface PlannedForward {
  /** The NAT network. */
  network: string;
  /** The host's address, on the LAN that the network leaves by. */
  address: string;
  protocol: "tcp" | "udp";
  port: number;
  /** `domain`: name of the domain's plan. */
  to: { domain: string; member: string; address: string; port: number };
}

/** The lab's forwards with their addresses. One to a domain that has no interface on the network is left out. */
export function planForwards(lab: Lab, segments: Segments, domains: readonly PlannedDomain[]): PlannedForward[] {
  const owners = new Map(domains.flatMap((domain) => domain.context.members.map((member) => [member, domain.plan])));
  return Object.entries(lab.networks).flatMap(([name, network]) => {
    if (network.mode !== "nat") return [];
    const lan = lanOf(segments.lans, name, network);
    const outside = lan === null ? null : segments.hostOn(lan);
    return network.forward.flatMap(({ port, protocol, to }): PlannedForward[] => {
      const owner = owners.get(to.domain);
      const vif = owner?.vifs.find((one) => one.network === name);
      if (owner === undefined || vif === undefined || outside === null) return [];
      return [
        {
          network: name,
          address: outside.address,
          protocol,
          port,
          to: { domain: owner.name, member: to.domain, address: vif.address, port: to.port },
        },
      ];
    });
  });
}

const WEB_PORT = 80;

/** Where clients on the LAN find each of the lab's domains. */
export function planTargets(
  lab: Lab,
  domains: readonly PlannedDomain[],
  forwards: readonly PlannedForward[],
  separate: readonly Context[],
): LabPlan["targets"] {
  const sites = new Map(separate.map(({ name, domain }) => [name, domain.sites[0]?.name]));
  const isOnLan = (network: string) => ["bridge", "routed"].includes(lab.networks[network]?.mode ?? "");
  return Object.fromEntries(
    domains.flatMap(({ plan, context }) => {
      const onLan = plan.vifs.find((vif) => isOnLan(vif.network));
      const others = forwards.filter(({ to, protocol }) => to.domain === plan.name && protocol === "tcp");
      return context.members.map((member) => {
        const own = others.filter(({ to }) => to.member === member);
        const forward = onLan === undefined ? (own.find(({ to }) => to.port === WEB_PORT) ?? own[0]) : undefined;
        return [
          member,
          {
            context: plan.name,
            address: forward?.address ?? (onLan ?? plan.vifs[0])?.address ?? "",
            port: forward?.port ?? WEB_PORT,
            host: sites.get(member) ?? member,
          },
        ] as const;
      });
    }),
  );
}

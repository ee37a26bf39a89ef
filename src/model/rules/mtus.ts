import type { Issue } from "../issue.ts";
import { companyLans, lanOf, subnetsOf, trunkMtu } from "../lab-networks.ts";
import type { Lab } from "../lab.ts";

/** The smallest MTU that IPv6 works with (RFC 8200, section 5). */
const IPV6_MTU = 1280;

/** MTUs are no larger than that of what the frames leave by, and large enough for IPv6. */
export function mtuIssues(lab: Lab): Issue[] {
  const lans = companyLans(lab);
  return Object.entries(lab.networks).flatMap(([name, network]): Issue[] => {
    const { mtu, mode } = network;
    if (mtu === undefined) return [];
    const path = ["networks", name, "mtu"];
    const issues: Issue[] = [];
    const subnet6 = subnetsOf(lans, name, network)?.subnet6 ?? null;
    if (subnet6 !== null && mtu < IPV6_MTU)
      issues.push({ path, message: `${mtu} is less than the ${IPV6_MTU} that IPv6 needs` });
    if (mode === "vlan" && mtu > trunkMtu(lab))
      issues.push({ path, message: `${mtu} is more than the trunk's ${trunkMtu(lab)}` });
    const lan = mode === "nat" || mode === "routed" ? lanOf(lans, name, network) : null;
    if (lan !== null && mtu > lan.mtu)
      issues.push({ path, message: `${mtu} is more than the ${lan.mtu} of the LAN that it leaves by` });
    return issues;
  });
}

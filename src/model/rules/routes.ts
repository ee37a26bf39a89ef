import { isIpv6, isWithin } from "../ip-range.ts";
import type { Issue } from "../issue.ts";
import { companyLans, nicsOf, subnetsOf } from "../lab-networks.ts";
import type { Lab } from "../lab.ts";

/** A domain's own routes lead over its neighbours, and one that routes does so between networks that it is on. */
export function routeIssues(lab: Lab): Issue[] {
  const lans = companyLans(lab);
  return Object.entries(lab.domains).flatMap(([name, domain]): Issue[] => {
    const issues: Issue[] = [];
    const nics = nicsOf(lab, domain);
    const networks = nics.map((nic) => nic.network);
    const subnets = nics.flatMap((nic) => {
      const network = lab.networks[nic.network];
      const found = network === undefined ? null : subnetsOf(lans, nic.network, network);
      if (found === null) return [];
      const isLeased = nic.address === "dhcp";
      return [found.subnet, ...(found.subnet6 === null ? [] : [found.subnet6])].map((subnet) => ({ subnet, isLeased }));
    });
    domain.routes.forEach(({ to, via }, i) => {
      const path = ["domains", name, "routes", i, "via"];
      if (isIpv6(to) !== isIpv6(via)) issues.push({ path, message: `${via} is not of the same family as ${to}` });
      else {
        const found = subnets.find(({ subnet }) => isWithin(via, subnet));
        if (found === undefined)
          issues.push({ path, message: `${via} is in no subnet of this domain's networks (${networks.join(", ")})` });
        else if (found.isLeased)
          issues.push({
            path,
            message: `${via} is reached through a leased interface, whose routes its DHCP client sets`,
          });
      }
    });
    if (domain.router === undefined) return issues;
    if (networks.length < 2)
      issues.push({ path: ["domains", name, "router"], message: "a domain that routes needs two interfaces" });
    if (domain.router === true) return issues;
    domain.router.allow.forEach((allow, i) => {
      for (const key of ["from", "to"] as const) {
        if (networks.includes(allow[key])) continue;
        issues.push({
          path: ["domains", name, "router", "allow", i, key],
          message: `${name} has no interface on network ${allow[key]} (${networks.join(", ")})`,
        });
      }
    });
    return issues;
  });
}

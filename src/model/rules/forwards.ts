import { domainNames } from "../domain-names.ts";
import type { Issue } from "../issue.ts";
import { companyLans, lanOf, nicsOf } from "../lab-networks.ts";
import { declaredServices } from "../lab-services.ts";
import type { Lab } from "../lab.ts";

/** Every forward leads to a service of a domain of its network, and no two begin at one port. */
export function forwardIssues(lab: Lab): Issue[] {
  const lans = companyLans(lab);
  const domains = new Map(domainNames(lab).map(({ name, domain }) => [name, domain]));
  const taken = new Map<string, string>();
  const issues: Issue[] = [];
  for (const [name, network] of Object.entries(lab.networks)) {
    if (network.mode !== "nat") continue;
    network.forward.forEach(({ port, protocol, to }, i) => {
      const path = ["networks", name, "forward", i];
      const domain = domains.get(to.domain);
      const service = `${to.port}/${protocol}`;
      if (domain === undefined) {
        issues.push({ path: [...path, "to"], message: `${to.domain} is not a domain of this lab` });
      } else {
        const listens = declaredServices(lab, domain).map((one) => `${one.port}/${one.protocol}`);
        if (!nicsOf(lab, domain).some((nic) => nic.network === name))
          issues.push({ path: [...path, "to"], message: `${to.domain} has no interface on network ${name}` });
        if (!listens.includes(service)) {
          const message = `${to.domain} does not listen on ${service} (${listens.length === 0 ? "it listens on nothing" : `it listens on ${listens.join(", ")}`})`;
          issues.push({ path: [...path, "to"], message });
        }
      }
      const key = `${lanOf(lans, name, network)?.index} ${port}/${protocol}`;
      const other = taken.get(key);
      if (other !== undefined)
        issues.push({
          path: [...path, "port"],
          message: `${port}/${protocol} of the host is already forwarded to ${other}`,
        });
      else taken.set(key, `${to.domain}:${to.port}`);
    });
  }
  return issues;
}

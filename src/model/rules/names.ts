import { domainNames } from "../domain-names.ts";
import type { Issue } from "../issue.ts";
import type { Lab } from "../lab.ts";

const RESERVED = new Set(["host", "lan", "station", "outside"]);

/** No two things have one name. */
export function nameIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const seen = new Map<string, string>();
  const siteOwners = new Map<string, string>();
  for (const { name, key, domain } of domainNames(lab)) {
    const other = seen.get(name);
    if (other !== undefined)
      issues.push({ path: ["domains", key], message: `makes a domain ${name}, and so does ${other}` });
    seen.set(name, key);
    if (RESERVED.has(name))
      issues.push({ path: ["domains", key], message: `${name} is the name of a machine that every lab has` });
    else if (name.startsWith("outside-") && (domain.count === undefined || name === `${key}1`))
      issues.push({ path: ["domains", key], message: `${name}: outside-… are the company's machines in VLANs` });
    domain.sites.forEach((site, i) => {
      const owner = siteOwners.get(site.name);
      if (owner !== undefined && domain.count === undefined) {
        issues.push({
          path: ["domains", key, "sites", i, "name"],
          message: `${site.name} is already a site of ${owner}`,
        });
      }
      siteOwners.set(site.name, name);
    });
  }
  return issues;
}

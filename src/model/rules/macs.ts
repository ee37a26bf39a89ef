import { domainNames } from "../domain-names.ts";
import type { Issue } from "../issue.ts";
import type { Lab } from "../lab.ts";

/** What Cloison gives to switch ports, as Xen does. */
const PORT_MAC = "fe:ff:ff:ff:ff:ff";

/** A MAC that is given is one interface's own, and of one interface only. */
export function macIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const taken = new Map<string, string>();
  for (const { key, name, domain } of domainNames(lab)) {
    domain.nics?.forEach(({ mac }, i) => {
      if (mac === undefined) return;
      const say = (message: string) => issues.push({ path: ["domains", key, "nics", i, "mac"], message });
      if (domain.count !== undefined) {
        if (name === `${key}1`) say("one MAC can't serve several domains: leave it out with count");
        return;
      }
      const owner = taken.get(mac);
      if (isMulticast(mac)) say(`${mac} is a multicast address: its first byte must be even`);
      else if (mac === "00:00:00:00:00:00" || mac === PORT_MAC) say(`${mac} can't be an interface's own`);
      else if (owner !== undefined) say(`${mac} is already ${owner}'s`);
      taken.set(mac, `${name} (eth${i})`);
    });
  }
  return issues;
}

function isMulticast(mac: string): boolean {
  return Number.parseInt(mac.slice(0, 2), 16) % 2 === 1;
}

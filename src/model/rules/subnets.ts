import { overlap, range, range6 } from "../ip-range.ts";
import type { Issue } from "../issue.ts";
import { companyLans } from "../lab-networks.ts";
import type { Lab } from "../lab.ts";

interface Subnet {
  path: Issue["path"];
  /** `network lan`. */
  of: string;
  text: string;
}

/** Subnets are large enough, and have no address in common. */
export function subnetIssues(lab: Lab): Issue[] {
  const subnets: Subnet[] = [];
  const issues: Issue[] = [];
  const add = (
    path: Issue["path"],
    of: string,
    texts: { subnet?: string | undefined; subnet6?: string | undefined },
  ) => {
    for (const key of ["subnet", "subnet6"] as const) {
      const text = texts[key];
      if (text !== undefined) subnets.push({ path: [...path, key], of, text });
    }
    if (texts.subnet === undefined || texts.subnet6 === undefined) return;
    // Whoever has the n-th IPv4 address has the n-th IPv6 one.
    if (128 - range6(texts.subnet6).prefix < 32 - range(texts.subnet).prefix) {
      issues.push({
        path: [...path, "subnet6"],
        message: `${texts.subnet6} is too small: ${texts.subnet} has more addresses`,
      });
    }
  };
  for (const [name, network] of Object.entries(lab.networks)) {
    const path = ["networks", name];
    add(path, `network ${name}`, "subnet6" in network ? network : { subnet: network.subnet });
    if (network.subnet === undefined) continue;
    const { prefix } = range(network.subnet);
    const isLan = network.mode === "bridge" || network.mode === "routed";
    if (isLan && prefix > 29)
      issues.push({
        path: [...path, "subnet"],
        message: `${network.subnet} is too small: the company LAN alone needs a /29`,
      });
    if (!isLan && prefix > 30)
      issues.push({ path: [...path, "subnet"], message: `${network.subnet} is too small: two machines need a /30` });
  }
  if (companyLans(lab)[0]?.network === null && lab.lan !== undefined) {
    add(["lan"], "the LAN", lab.lan);
    if (range(lab.lan.subnet).prefix > 29)
      issues.push({
        path: ["lan", "subnet"],
        message: `${lab.lan.subnet} is too small: the company LAN alone needs a /29`,
      });
  }
  for (const [i, a] of subnets.entries()) {
    for (const b of subnets.slice(0, i)) {
      if (overlap(a.text, b.text)) issues.push({ path: a.path, message: `${a.text} overlaps ${b.text} of ${b.of}` });
    }
  }
  return issues;
}

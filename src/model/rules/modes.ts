import type { Issue } from "../issue.ts";
import { companyLans, lanOf, type CompanyLan } from "../lab-networks.ts";
import type { Lab } from "../lab.ts";
import type { NetworkOf, VlanBackend } from "../network.ts";

/** What each mode asks for: a LAN to lie in or to leave by, a trunk, a station that can be there. */
export function modeIssues(lab: Lab): Issue[] {
  const lans = companyLans(lab);
  const issues: Issue[] = [];
  for (const [name, network] of Object.entries(lab.networks)) {
    if (network.mode === "routed") issues.push(...routedIssues(lab, lans, name, network));
    if (network.mode === "nat") issues.push(...natIssues(lab, lans, name, network));
  }
  issues.push(...vlanIssues(lab), ...stationIssues(lab));
  const owner = lans.find((lan) => lan.network !== null);
  if (lab.lan !== undefined && owner !== undefined) {
    issues.push({ path: ["lan"], message: `this lab has a LAN already, that of network ${owner.network}` });
  }
  return issues;
}

function routedIssues(lab: Lab, lans: CompanyLan[], name: string, network: NetworkOf<"routed">): Issue[] {
  const path = ["networks", name];
  const { lan, subnet, subnet6 } = network;
  if (lan === undefined) {
    if (subnet !== undefined) return [];
    return [{ path, message: "needs a subnet of its own, or the name of a bridge network as lan" }];
  }
  const issues: Issue[] = [];
  if (subnet !== undefined)
    issues.push({ path: [...path, "subnet"], message: `its guests lie in the LAN of ${lan}: leave subnet or lan out` });
  if (subnet6 !== undefined)
    issues.push({ path: [...path, "subnet6"], message: `its guests lie in the LAN of ${lan}: say subnet6 there` });
  const mode = lab.networks[lan]?.mode;
  if (mode !== undefined && mode !== "bridge")
    issues.push({
      path: [...path, "lan"],
      message: `${lan} is in ${mode} mode: only a bridge network has a LAN to lie in`,
    });
  else if (lans.find((one) => one.network === lan)?.host === false)
    issues.push({ path: [...path, "lan"], message: `${noHost(lan)}, and so can't route there` });
  return issues;
}

function natIssues(lab: Lab, lans: CompanyLan[], name: string, network: NetworkOf<"nat">): Issue[] {
  const path = ["networks", name];
  const { lan } = network;
  if (lan === undefined) {
    if (lanOf(lans, name, network) !== null) return [];
    return [{ path, message: "the host has an address on no LAN of this lab, so that nothing can leave by it" }];
  }
  const mode = lab.networks[lan]?.mode;
  const found = lans.find((one) => one.network === lan);
  if (mode !== undefined && found === undefined)
    return [{ path: [...path, "lan"], message: `${lan} is in ${mode} mode, and has no LAN of its own to leave by` }];
  if (found?.host === false)
    return [{ path: [...path, "lan"], message: `${noHost(lan)}, so that nothing can leave by it` }];
  return [];
}

const noHost = (lan: string) => `the host has no address on ${lan} (host: false)`;

function vlanIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const ids = new Map<number, string>();
  let forced: { name: string; backend: VlanBackend } | null = null;
  for (const [name, network] of Object.entries(lab.networks)) {
    if (network.mode !== "vlan") continue;
    const { id, backend } = network;
    const path = ["networks", name];
    if (lab.trunk === false)
      issues.push({ path: [...path, "mode"], message: "a VLAN without a trunk: this lab says trunk: false" });
    const other = ids.get(id);
    if (other !== undefined)
      issues.push({ path: [...path, "id"], message: `${id} is already the VLAN of network ${other}` });
    else ids.set(id, name);
    if (backend === "auto") continue;
    if (forced !== null && forced.backend !== backend) {
      const message = `all VLANs share one trunk, and network ${forced.name} wants ${forced.backend}`;
      issues.push({ path: [...path, "backend"], message });
    }
    forced ??= { name, backend };
  }
  return issues;
}

function stationIssues(lab: Lab): Issue[] {
  const { network: name } = lab.station;
  const mode = name === undefined ? undefined : lab.networks[name]?.mode;
  if (mode === undefined || mode === "bridge" || mode === "routed") return [];
  const message = `${name} is in ${mode} mode: the station is a machine of the company LAN`;
  return [{ path: ["station", "network"], message }];
}

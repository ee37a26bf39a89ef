import { isWithin } from "../ip-range.ts";
import type { Issue } from "../issue.ts";
import type { Lab } from "../lab.ts";

/** With a real LAN, its router and its DHCP server are not the lab's: the lab must know the one and can't use the other. */
export function uplinkIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const cards = new Map<string, string>();
  for (const [name, network] of Object.entries(lab.networks)) {
    if (network.mode !== "bridge") continue;
    const { uplink, gateway, subnet } = network;
    const say = (key: string, message: string) => issues.push({ path: ["networks", name, key], message });
    if (uplink === undefined) {
      if (gateway !== undefined) say("gateway", "only a network with an uplink has a router outside the lab");
      continue;
    }
    if (gateway === undefined) say("uplink", "needs gateway: the address of the real LAN's router");
    else if (!isWithin(gateway, subnet)) say("gateway", `${gateway} is outside ${subnet}`);
    const other = cards.get(uplink);
    if (other !== undefined) say("uplink", `${uplink} is already the uplink of network ${other}`);
    cards.set(uplink, name);
  }
  return [...issues, ...leaseIssues(lab)];
}

function leaseIssues(lab: Lab): Issue[] {
  const message = "a network with an uplink has no DHCP server of the lab's: give an address";
  return Object.entries(lab.domains).flatMap(([key, { nics = [] }]) =>
    nics.flatMap(({ network, address }, i) => {
      const joined = lab.networks[network];
      if (address !== "dhcp" || joined?.mode !== "bridge" || joined.uplink === undefined) return [];
      return [{ path: ["domains", key, "nics", i, "address"], message }];
    }),
  );
}

import type { Link, NamespaceState, NetworkState } from "../../model/network-state.ts";
import { nftTableLines } from "./table-lines.ts";

/** The network per namespace, one object a line, in the order in which a packet meets them: links, addresses, routes, rules. */
export function stateText(state: NetworkState): string {
  return Object.entries(state)
    .map(([namespace, one]) => [namespace, ...namespaceLines(one).map((line) => `  ${line}`)].join("\n"))
    .join("\n\n");
}

function namespaceLines(state: NamespaceState): string[] {
  const lines = state.links.flatMap((link) => [
    linkLine(link),
    ...state.addresses.filter((entry) => entry.link === link.name).map((entry) => `  ${entry.address}/${entry.prefix}`),
    ...(state.leased?.includes(link.name) === true ? ["  address by DHCP"] : []),
  ]);
  for (const { destination, via, link, onLink, source } of state.routes) {
    lines.push(
      words(
        `route ${destination}`,
        via !== null && `via ${via}`,
        link !== null && `dev ${link}`,
        onLink === true && "onlink",
        source !== undefined && `src ${source}`,
      ),
    );
  }
  for (const { address, link, mac, proxy } of state.neighbours) {
    lines.push(words(`neighbour ${address} dev ${link}`, mac !== null && `lladdr ${mac}`, proxy && "proxy"));
  }
  for (const { name, ports } of state.switches ?? []) {
    lines.push(`switch ${name}`);
    for (const { link, vlan, guard, rateBitsPerSecond } of ports) {
      lines.push(
        words(
          `  port ${link}`,
          "access" in vlan ? `access ${vlan.access}` : `trunk ${vlan.trunk.join(",")}`,
          guard !== null && `only from ${[guard.mac, ...guard.addresses].join(" ")}`,
          rateBitsPerSecond !== undefined && `rate ${rateText(rateBitsPerSecond)}`,
        ),
      );
    }
  }
  for (const [name, value] of Object.entries(state.sysctls)) lines.push(`sysctl ${name} = ${value}`);
  for (const table of Object.values(state.tables)) lines.push(...nftTableLines(table));
  return lines;
}

function linkLine(link: Link): string {
  const { name, kind, up, mtu, mac, master, peer, vlan, isolated, shaping } = link;
  return words(
    `link ${name}`,
    kind,
    !up && "down",
    `mtu ${mtu}`,
    mac !== null && `mac ${mac}`,
    master !== null && `port of ${master}`,
    isolated === true && "isolated",
    vlan !== undefined && `802.1Q ${vlan.id} of ${vlan.parent}`,
    peer !== null && `~ ${peer.name} in ${peer.namespace}`,
    shaping?.rateBitsPerSecond !== undefined && `rate ${rateText(shaping.rateBitsPerSecond)}`,
    shaping?.delayMs !== undefined && `delay ${shaping.delayMs} ms`,
    shaping?.lossPercent !== undefined && `loss ${shaping.lossPercent} %`,
  );
}

function words(...parts: (string | false)[]): string {
  return parts.filter((part) => part !== false).join(" ");
}

/** `10 Mbit/s`: powers of 1000, as network rates are written. */
function rateText(bitsPerSecond: number): string {
  const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];
  let value = bitsPerSecond;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value} ${units[unit]}`;
}

import type { NamespaceState } from "../model/network-state.ts";
import type { CompiledNamespace, LinkAddress } from "./compiled-network.ts";
import { covers, isLinkLocal6, isLoopback, linkLocalOf, parseIp } from "./ip-address.ts";
import { NO_MAC } from "./packet.ts";

/** Puts the addresses on the links: those of the state, and IPv6's link-local ones, which the kernel sets by itself. */
export function compileAddresses(namespace: CompiledNamespace, { addresses, observed }: NamespaceState): void {
  for (const { link: name, address, prefix } of [...addresses, ...(observed?.leasedAddresses ?? [])]) {
    const link = namespace.links.get(name);
    const ip = parseIp(address);
    if (link === undefined || ip === null) continue;
    if (ip.family === 6 && !link.settings.ipv6) continue;
    const subnet = { first: ip, length: prefix };
    const secondary = link.addresses.some((other) => other.subnet.length === prefix && covers(other.subnet, ip));
    const scope: LinkAddress["scope"] = isLoopback(ip) ? "host" : isLinkLocal6(ip) ? "link" : "global";
    link.addresses.push({ ip, subnet, secondary, scope });
    // An address stays the machine's own while its link is down (fib_sync_down_dev leaves the table `local` alone).
    if (scope !== "link" && !namespace.local.has(ip.text)) namespace.local.set(ip.text, link);
  }
  for (const link of namespace.links.values()) {
    if (!link.settings.ipv6 || link.mac === NO_MAC || link.kind === "loopback" || !link.up) continue;
    if (link.addresses.some(({ scope }) => scope === "link")) continue;
    const ip = linkLocalOf(link.mac);
    link.addresses.push({ ip, subnet: { first: ip, length: 64 }, secondary: false, scope: "link" });
  }
}

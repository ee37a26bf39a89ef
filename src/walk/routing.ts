import type { CompiledLink, CompiledNamespace, CompiledRoute, LinkAddress } from "./compiled-network.ts";
import { commonBits, covers, isLinkLocal6, isLoopback, isMulticast, isUnspecified, type Ip } from "./ip-address.ts";

/** The route to an address; null: none. The table `local` comes first (fib_lookup). */
export function routeTo(namespace: CompiledNamespace, destination: Ip): CompiledRoute | null {
  const known = namespace.routeTo.get(destination.text);
  if (known !== undefined) return known;
  const route =
    localRoute(namespace, destination) ?? namespace.routes.find(({ network }) => covers(network, destination)) ?? null;
  namespace.routeTo.set(destination.text, route);
  return route;
}

function localRoute(namespace: CompiledNamespace, destination: Ip): CompiledRoute | null {
  const link = localLink(namespace, destination, null);
  if (link === null) return null;
  const text = `local ${destination.text} dev ${link.name} table local`;
  const length = destination.family === 4 ? 32 : 128;
  return {
    type: "local",
    network: { first: destination, length },
    via: null,
    link,
    source: primaryOf(namespace, destination),
    text,
  };
}

/** Where the machine has this address; null: it has not. Link-local ones belong to the link that a packet came in by. */
export function localLink(namespace: CompiledNamespace, address: Ip, iif: CompiledLink | null): CompiledLink | null {
  if (isLinkLocal6(address)) return iif !== null && hasAddress(iif, address) ? iif : null;
  if (isLoopback(address))
    return [...namespace.links.values()].find(({ kind, up }) => kind === "loopback" && up) ?? null;
  return namespace.local.get(address.text) ?? null;
}

export function hasAddress({ addresses }: CompiledLink, address: Ip): boolean {
  return addresses.some(({ ip }) => ip === address);
}

/** As `fib … type` names it: what the table `local` says, else unicast (__inet_dev_addr_type in net/ipv4/fib_frontend.c). */
export function addressType(namespace: CompiledNamespace, address: Ip, only: CompiledLink | null): string {
  if (isMulticast(address)) return "multicast";
  if (isUnspecified(address)) return address.family === 4 ? "broadcast" : "unspec";
  if (address.text === "255.255.255.255" || (address.family === 4 && isSubnetBroadcast(namespace, address)))
    return "broadcast";
  const link = only !== null && hasAddress(only, address) ? only : localLink(namespace, address, only);
  return link !== null && (only === null || only === link) ? "local" : "unicast";
}

function isSubnetBroadcast({ links }: CompiledNamespace, address: Ip): boolean {
  for (const { addresses } of links.values()) {
    for (const { ip, subnet } of addresses) {
      if (ip.family !== 4 || subnet.length > 30) continue;
      const hosts = (1n << BigInt(32 - subnet.length)) - 1n;
      if (address.value === (ip.value | hosts)) return true;
    }
  }
  return false;
}

/** Sender of a packet that the machine itself sends by this route; null: it has no address to send from. */
export function sourceFor(route: CompiledRoute, destination: Ip): Ip | null {
  const { link } = route;
  if (route.source !== null && link.namespace.follows("preferred-source")) return route.source;
  if (route.type === "local") return destination;
  return destination.family === 4 ? selectAddress(link, route.via, "global") : selectAddress6(link, destination);
}

/** fib_add_ifaddr in net/ipv4/fib_frontend.c: the local route of a secondary address prefers its primary one as source. */
function primaryOf({ local }: CompiledNamespace, own: Ip): Ip {
  const addresses = local.get(own.text)?.addresses ?? [];
  const entry = addresses.find(({ ip }) => ip.text === own.text);
  if (entry === undefined || !entry.secondary || own.family === 6) return own;
  const { length } = entry.subnet;
  const primary = addresses.find((one) => !one.secondary && one.subnet.length === length && covers(one.subnet, own));
  return primary?.ip ?? own;
}

/**
 * inet_select_addr in net/ipv4/devinet.c: of the link's primary addresses the one whose subnet covers the other end, else
 * the first; of another link if this one has none.
 */
export function selectAddress(link: CompiledLink, other: Ip | null, scope: "global" | "link"): Ip | null {
  const fits = ({ ip, secondary, scope: own }: LinkAddress) =>
    ip.family === 4 && !secondary && own !== "host" && (scope === "link" || own === "global");
  const own = link.addresses.filter(fits);
  const covering = other === null ? undefined : own.find(({ subnet }) => covers(subnet, other));
  const chosen = covering ?? own[0];
  if (chosen !== undefined) return chosen.ip;
  for (const { addresses } of link.namespace.links.values()) {
    const found = addresses.find((address) => fits(address) && address.scope === "global");
    if (found !== undefined) return found.ip;
  }
  return null;
}

/** RFC 6724 as far as labs need it: same scope, then the outgoing link, then the longest common prefix. */
export function selectAddress6(link: CompiledLink, destination: Ip): Ip | null {
  const wanted = isLinkLocal6(destination) || isMulticast(destination) ? "link" : "global";
  const own = [...link.namespace.links.values()].flatMap((from) =>
    from.addresses.map((address) => ({ from, address })),
  );
  const candidates = own.filter(({ from, address: { ip, scope } }) => {
    return ip.family === 6 && scope === wanted && (wanted === "global" || from === link);
  });
  const rank = ({ from, address }: (typeof candidates)[number]) =>
    (from === link ? 1000 : 0) + commonBits(address.ip, destination);
  let best: (typeof candidates)[number] | undefined;
  for (const candidate of candidates) if (best === undefined || rank(candidate) > rank(best)) best = candidate;
  return best?.address.ip ?? null;
}

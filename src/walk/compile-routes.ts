import type { NamespaceState, Route } from "../model/network-state.ts";
import type { CompiledNamespace, CompiledRoute } from "./compiled-network.ts";
import { bitsOf, covers, ip, parseIp, parsePrefix, type Ip, type Prefix } from "./ip-address.ts";

/** Fills the routing table: the state's routes, and the connected ones, which the kernel makes of addresses. */
export function compileRoutes(namespace: CompiledNamespace, { routes, observed }: NamespaceState): void {
  const compiled = [...connected(namespace)];
  for (const route of [...routes, ...(observed?.leasedRoutes ?? [])]) {
    const one = compileRoute(namespace, compiled, route);
    if (one !== null) compiled.push(one);
  }
  const longestFirst = namespace.follows("longest-prefix") ? 1 : -1;
  namespace.routes = compiled.toSorted((a, b) => longestFirst * (b.network.length - a.network.length));
}

function* connected({ links }: CompiledNamespace): Iterable<CompiledRoute> {
  for (const link of links.values()) {
    if (!link.up || link.kind === "loopback") continue;
    for (const { ip: address, subnet, secondary, scope } of link.addresses) {
      // An address without a subnet has no route besides the local one (fib_add_ifaddr); nor has a link-local one of use.
      if (secondary || scope !== "global" || subnet.length === bitsOf(address)) continue;
      const network = { first: firstOf(subnet), length: subnet.length };
      const source = address.family === 4 ? address : null;
      const text = `${network.first.text}/${network.length} dev ${link.name} proto kernel scope link${source === null ? "" : ` src ${source.text}`}`;
      yield { type: "unicast", network, via: null, link, source, text };
    }
  }
}

function firstOf({ first, length }: Prefix): Ip {
  const size = 1n << BigInt(bitsOf(first) - length);
  const value = (first.value / size) * size;
  if (first.family === 4) return ip([24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join("."));
  const words = value.toString(16).padStart(32, "0").match(/.{4}/g) ?? [];
  return ip(words.join(":"));
}

function compileRoute(
  namespace: CompiledNamespace,
  before: readonly CompiledRoute[],
  { destination, via, link: name, source, onLink }: Route,
): CompiledRoute | null {
  const network = parsePrefix(destination);
  const gateway = via === null ? null : parseIp(via);
  // Without a device it is the one that the gateway is on, when the route is added.
  const link =
    name === null
      ? before.find((route) => gateway !== null && covers(route.network, gateway))?.link
      : namespace.links.get(name);
  // The kernel drops the routes of a link that goes down.
  if (network === null || link === undefined || !link.up) return null;
  const words = [
    destination === "::/0" ? "default" : destination.replace(network.first.family === 4 ? /\/32$/ : /\/128$/, ""),
    ...(gateway === null ? [] : [`via ${gateway.text}`]),
    `dev ${link.name}`,
    ...(onLink === true ? ["onlink"] : []),
    ...(source === undefined ? [] : [`src ${source}`]),
    ...(gateway === null && network.first.family === 4 ? ["scope link"] : []),
  ];
  return {
    type: "unicast",
    network,
    via: gateway,
    link,
    source: source === undefined ? null : parseIp(source),
    text: words.join(" "),
  };
}

import type { CompiledLink, CompiledNamespace, CompiledRoute } from "./compiled-network.ts";
import type { Ip } from "./ip-address.ts";
import { NO_MAC, type Frame, type IpPacket } from "./packet.ts";
import type { Fate, Passage } from "./passage.ts";
import { ask, resolveNextHop } from "./resolve.ts";
import { routeTo, sourceFor } from "./routing.ts";
import { runHook } from "./run-hook.ts";

/** A machine sends a packet of its own (ip_route_output_key, __ip_local_out). `source`: null: the kernel chooses. */
export function sendOwn(
  passage: Passage,
  namespace: CompiledNamespace,
  destination: Ip,
  source: Ip | null,
  make: (source: Ip) => IpPacket,
): Fate {
  if (namespace.unmodelledRouting !== null) return unmodelled(namespace, namespace.unmodelledRouting);
  let route = routeTo(namespace, destination);
  if (route === null) return noRoute(passage, namespace, destination);
  const from = source ?? sourceFor(route, destination);
  if (from === null) return noSource(passage, route);
  const packet = make(from);
  passage.tell?.(namespace, "send", null, `${from.text} sends to ${destination.text}, TTL ${packet.ttl}`);
  passage.tell?.(
    namespace,
    "route",
    `ip route: ${route.text}`,
    `${destination.text} leaves by ${wayOut(route)?.name ?? "lo"}`,
  );
  const dropped = runHook(passage, familyOf(packet), "output", {
    namespace,
    iif: null,
    oif: wayOut(route),
    frame: bareFrame(packet),
    hasLinkHeader: false,
    nextHop: route.via,
  });
  if (dropped !== null) return dropped;
  if (packet.destination !== destination) {
    // Translated at output: routed again, with the source that it has (ip_route_me_harder).
    route = routeTo(namespace, packet.destination);
    if (route === null) return noRoute(passage, namespace, packet.destination);
  }
  return leave(passage, namespace, route, null, packet);
}

/** A packet leaves by its route (ip_output and ip_finish_output2). `iif`: where a forwarded one came in. */
export function leave(
  passage: Passage,
  namespace: CompiledNamespace,
  route: CompiledRoute,
  iif: CompiledLink | null,
  packet: IpPacket,
): Fate {
  const oif = wayOut(route);
  if (oif === null) return loopbackDown(passage, namespace);
  const nextHop = route.via ?? packet.destination;
  const frame = bareFrame(packet);
  const at = { namespace, iif, oif, frame, hasLinkHeader: false, nextHop: route.via };
  const dropped = runHook(passage, familyOf(packet), "postrouting", at);
  if (dropped !== null) return dropped;
  if (route.type === "local") return passage.layers.sendFrame(passage, oif, frame);
  if (packet.bytes > oif.mtu && passage.network.follows("path-mtu")) {
    if (packet.dontFragment) return tooBig(passage, oif, packet);
    packet.bytes = oif.mtu;
  }
  if (!oif.up && passage.network.follows("links-up")) return passage.layers.sendFrame(passage, oif, frame);
  const { source } = packet;
  const resolved = resolveNextHop(passage, oif, nextHop, source);
  if (resolved.kind !== "mac") return resolved;
  const { mac, entry } = resolved;
  frame.source = oif.mac;
  frame.destination = mac;
  const fate = passage.layers.sendFrame(passage, oif, frame);
  if (fate.kind === "delivered" || fate.kind === "unknown") return fate;
  const isWrong = fate.kind === "untaken" || (entry !== null && hasOtherMac(passage, oif, nextHop, source, mac));
  return isWrong ? wrongNeighbour(passage, oif, nextHop, mac, entry) : fate;
}

function hasOtherMac(passage: Passage, link: CompiledLink, nextHop: Ip, source: Ip, mac: string): boolean {
  const asked = ask(passage, link, nextHop, source);
  return asked.kind === "mac" && asked.mac !== mac;
}

/** Where a packet leaves that has this route; null: there is no loopback. */
function wayOut({ type, link }: CompiledRoute): CompiledLink | null {
  if (type !== "local") return link;
  return [...link.namespace.links.values()].find(({ kind }) => kind === "loopback") ?? null;
}

function bareFrame(packet: IpPacket): Frame {
  return { source: NO_MAC, destination: NO_MAC, vlan: null, crossed: 0, prerouted: false, packet };
}

export function familyOf({ source }: IpPacket): "ip" | "ip6" {
  return source.family === 4 ? "ip" : "ip6";
}

function unmodelled({ name }: CompiledNamespace, object: string): Fate {
  return { kind: "unknown", unknown: `${name}: ${object}` };
}

export function noRoute(passage: Passage, namespace: CompiledNamespace, destination: Ip): Fate {
  return passage.stop(namespace, "no-route", {
    object: `ip route get ${destination.text}: Network is unreachable`,
    reason: `${namespace.name} has no route to ${destination.text}.`,
    remedy: `ip route add ${destination.text} via GATEWAY, or ip route add default via GATEWAY`,
  });
}

function noSource(passage: Passage, { link, text }: CompiledRoute): Fate {
  return passage.stop(link.namespace, "no-route", {
    object: `ip route: ${text}`,
    reason: `${link.namespace.name} has no address to send from.`,
    remedy: `ip addr add ADDRESS/PREFIX dev ${link.name}`,
  });
}

function loopbackDown(passage: Passage, namespace: CompiledNamespace): Fate {
  return passage.stop(namespace, "link-down", {
    object: "ip link: lo state DOWN",
    reason: "The loopback interface is down, and a machine reaches itself through it.",
    remedy: "ip link set lo up",
  });
}

export function tooBig(passage: Passage, link: CompiledLink, { bytes }: IpPacket): Fate {
  return passage.stop(link.namespace, "mtu", {
    object: `ip link: ${link.name} mtu ${link.mtu}`,
    reason: `The packet has ${bytes} bytes and may not be fragmented; ${link.name} takes ${link.mtu}.`,
    remedy: `ip link set ${link.name} mtu ${bytes}, or send packets of ${link.mtu} bytes at most.`,
  });
}

function wrongNeighbour(passage: Passage, link: CompiledLink, nextHop: Ip, mac: string, entry: string | null): Fate {
  return passage.stop(link.namespace, "wrong-neighbour", {
    object: `ip neigh: ${entry ?? `${nextHop.text} dev ${link.name} lladdr ${mac}`}`,
    reason: `It is sent to the MAC ${mac}, which is not where ${nextHop.text} is.`,
    remedy: `ip neigh del ${nextHop.text} dev ${link.name}`,
  });
}

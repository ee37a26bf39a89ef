import type { CompiledLink } from "./compiled-network.ts";
import { isMulticast, type Ip } from "./ip-address.ts";
import { NEIGHBOUR_ADVERT, type Frame, type IpPacket } from "./packet.ts";
import { type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { checkSource } from "./reverse-path.ts";
import { hasAddress, localLink, routeTo, selectAddress, sourceFor } from "./routing.ts";
import { runHook } from "./run-hook.ts";
import { familyOf, leave, noRoute, tooBig } from "./send-ip.ts";
import { takeDiscovery } from "./take-discovery.ts";

/** An IP packet came up a link (ip_rcv and ip_route_input_slow in net/ipv4, ip6_rcv in net/ipv6). */
export function takeIp(passage: Passage, link: CompiledLink, frame: Frame, packet: IpPacket): Fate {
  const { namespace } = link;
  const { follows } = passage.network;
  if (packet.source.family === 6 && !link.settings.ipv6) return UNTAKEN;
  const { discovery } = packet;
  // As in takeArp: who asks for a MAC reads the answer before any chain.
  const isAnswer = packet.icmpType === NEIGHBOUR_ADVERT && discovery?.exchange.asker === link;
  if (passage.asksForMac && discovery !== null && isAnswer) return takeDiscovery(passage, link, packet, discovery);
  const isLoopback = link.kind === "loopback";
  if (!frame.prerouted) {
    const at = { namespace, iif: link, oif: null, frame, hasLinkHeader: !isLoopback };
    const dropped = runHook(passage, familyOf(packet), "prerouting", at);
    if (dropped !== null) return dropped;
  }
  if (packet.discovery !== null) return deliver(passage, link, frame, packet);
  if (namespace.unmodelledRouting !== null)
    return { kind: "unknown", unknown: `${namespace.name}: ${namespace.unmodelledRouting}` };
  if (isMulticast(packet.destination)) return UNTAKEN;
  // What came over loopback was routed when it was sent.
  if (isLoopback) return deliver(passage, link, frame, packet);
  const isOwn =
    localLink(namespace, packet.destination, link) !== null &&
    (follows("weak-host") || hasAddress(link, packet.destination));
  if (!isOwn && !forwards(link, packet) && follows("forwarding")) return notForwarding(passage, link, packet);
  const problem = checkSource(passage, link, packet.source);
  if (problem !== null) return problem;
  return isOwn ? deliver(passage, link, frame, packet) : forward(passage, link, frame, packet);
}

function deliver(passage: Passage, link: CompiledLink, frame: Frame, packet: IpPacket): Fate {
  const { namespace } = link;
  const hasLinkHeader = link.kind !== "loopback";
  const dropped = runHook(passage, familyOf(packet), "input", {
    namespace,
    iif: link,
    oif: null,
    frame,
    hasLinkHeader,
  });
  if (dropped !== null) return dropped;
  if (packet.discovery !== null) return takeDiscovery(passage, link, packet, packet.discovery);
  passage.tell?.(
    namespace,
    "deliver",
    `ip addr: ${packet.destination.text}`,
    `${packet.destination.text} is this machine; the packet is from ${packet.source.text}, TTL ${packet.ttl}`,
  );
  return { kind: "delivered", namespace, packet };
}

/** IPv4 asks the interface that a packet came in by, IPv6 the whole machine (ip6_forward). */
function forwards({ namespace, settings }: CompiledLink, { source }: IpPacket): boolean {
  return source.family === 4 ? settings.forwarding : namespace.sysctl("net.ipv6.conf.all.forwarding") === "1";
}

/** More than any TTL: a loop, where the walk does not count it down. */
const MOST_FORWARDS = 600;

/** ip_forward in net/ipv4/ip_forward.c: TTL, then size, then the chains of `forward`. */
function forward(passage: Passage, link: CompiledLink, frame: Frame, packet: IpPacket): Fate {
  const { namespace } = link;
  const { follows } = passage.network;
  const route = routeTo(namespace, packet.destination);
  if (route === null) return noRoute(passage, namespace, packet.destination);
  if (++passage.forwards > MOST_FORWARDS) return UNTAKEN;
  passage.tell?.(
    namespace,
    "route",
    `ip route: ${route.text}`,
    `${packet.destination.text} is forwarded from ${link.name} to ${route.link.name}`,
  );
  if (follows("ttl")) {
    if (packet.ttl <= 1) return expired(passage, link, packet);
    packet.ttl--;
  }
  if (!passage.onReply) {
    const hop = addressShown(link, packet.source);
    if (hop !== null) passage.hops.push(hop.text);
  }
  if (packet.bytes > route.link.mtu && packet.dontFragment && follows("path-mtu"))
    return tooBig(passage, route.link, packet);
  const at = { namespace, iif: link, oif: route.link, frame, hasLinkHeader: true, nextHop: route.via };
  const dropped = runHook(passage, familyOf(packet), "forward", at);
  return dropped ?? leave(passage, namespace, route, link, packet);
}

/** Sender of the router's ICMP errors: that of its way back (icmp_send and icmp_route_lookup in net/ipv4/icmp.c). */
function addressShown(link: CompiledLink, source: Ip): Ip | null {
  const back = routeTo(link.namespace, source);
  return back === null ? selectAddress(link, source, "link") : sourceFor(back, source);
}

function notForwarding(passage: Passage, { namespace, name }: CompiledLink, { source, destination }: IpPacket): Fate {
  const key = source.family === 4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding";
  return passage.stop(namespace, "not-forwarding", {
    object: `sysctl ${key} = 0`,
    reason: `${namespace.name} got a packet for ${destination.text} on ${name}; that is not its address, and it forwards nothing.`,
    remedy: `sysctl -w ${key}=1`,
  });
}

function expired(passage: Passage, { namespace, name }: CompiledLink, { ttl }: IpPacket): Fate {
  return passage.stop(namespace, "ttl", {
    object: `TTL ${ttl} on ${name}`,
    reason: `The packet's TTL is used up at ${namespace.name}.`,
    remedy: "Send with a larger TTL; if it was not small, routers send the packet in a circle: look at their ip route.",
  });
}

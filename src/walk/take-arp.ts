import { isAnybody } from "./ask-neighbour.ts";
import type { CompiledLink } from "./compiled-network.ts";
import { covers, isLoopback, isMulticast, isUnspecified } from "./ip-address.ts";
import type { ArpPacket, Frame } from "./packet.ts";
import { type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { checkSource } from "./reverse-path.ts";
import { hasAddress, localLink, routeTo } from "./routing.ts";
import { runHook } from "./run-hook.ts";

/** An ARP packet came up (arp_rcv and arp_process in net/ipv4/arp.c). */
export function takeArp(passage: Passage, link: CompiledLink, frame: Frame, packet: ArpPacket): Fate {
  const { namespace } = link;
  const { exchange } = packet;
  // Who asks for a MAC by a packet socket (arping) reads the answer there, before any chain.
  const isRead = passage.asksForMac && packet.operation === "reply" && exchange.asker === link;
  if (!isRead) {
    const dropped = runHook(passage, "arp", "input", { namespace, iif: link, oif: null, frame, hasLinkHeader: false });
    if (dropped !== null) return dropped;
  }
  if (packet.operation === "reply") {
    if (exchange.asker !== link || packet.sender !== exchange.target) return UNTAKEN;
    exchange.answers.push({ mac: packet.senderMac, link: exchange.asker });
    return { kind: "answered" };
  }
  const refusal = whyNoAnswer(passage, link, packet);
  return refusal ?? answer(passage, link, packet);
}

/** null: it answers. */
function whyNoAnswer(passage: Passage, link: CompiledLink, { sender, target }: ArpPacket): Fate | null {
  const { namespace, settings } = link;
  const { follows } = passage.network;
  if (isMulticast(target) || (isLoopback(target) && !settings.routeLocalnet)) return UNTAKEN;
  const own = localLink(namespace, target, null);
  const isOwn = own !== null && (follows("weak-host") || own === link);
  // Somebody tries whether the address is free (RFC 5227): no route is asked.
  if (isUnspecified(sender)) return isOwn ? ignored(passage, link, sender, target) : UNTAKEN;
  if (follows("arp-route-check")) {
    const problem = checkSource(passage, link, sender);
    if (problem !== null) return problem;
  }
  if (isOwn) return ignored(passage, link, sender, target) ?? filtered(passage, link, sender, target);
  return whyNoProxy(passage, link, target);
}

/** arp_ignore. */
function ignored(
  passage: Passage,
  link: CompiledLink,
  sender: ArpPacket["sender"],
  target: ArpPacket["target"],
): Fate | null {
  if (!passage.network.follows("arp-ignore")) return null;
  const level = link.settings.arpIgnore;
  const onLink = link.addresses.find(({ ip }) => ip === target);
  const answers =
    level === 0 ||
    (level === 1 && onLink !== undefined) ||
    (level === 2 && onLink !== undefined && covers(onLink.subnet, sender)) ||
    (level > 2 && level < 8);
  if (answers) return null;
  return passage.stop(link.namespace, "no-neighbour", {
    object: `sysctl net.ipv4.conf.${link.name.replaceAll(".", "/")}.arp_ignore = ${level}`,
    reason: `${link.namespace.name} has ${target.text}, but does not answer for it on ${link.name}.`,
    remedy: `sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.${link.name.replaceAll(".", "/")}.arp_ignore=0`,
  });
}

/** arp_filter: only the interface by which an answer would leave. */
function filtered(
  passage: Passage,
  link: CompiledLink,
  sender: ArpPacket["sender"],
  target: ArpPacket["target"],
): Fate | null {
  if (!link.settings.arpFilter || !passage.network.follows("arp-filter")) return null;
  const back = routeTo(link.namespace, sender);
  if (back?.link === link) return null;
  return passage.stop(link.namespace, "no-neighbour", {
    object: `sysctl net.ipv4.conf.${link.name.replaceAll(".", "/")}.arp_filter = 1; ip route: ${back?.text ?? "none"}`,
    reason: `${link.namespace.name} does not answer for ${target.text} on ${link.name}: the way back to ${sender.text} is another.`,
    remedy: `sysctl -w net.ipv4.conf.${link.name.replaceAll(".", "/")}.arp_filter=0`,
  });
}

/** An answer for somebody else: only of a router, and only if the way there leaves by another interface. */
function whyNoProxy(passage: Passage, link: CompiledLink, target: ArpPacket["target"]): Fate | null {
  const { namespace, settings } = link;
  const { follows } = passage.network;
  const hasEntry = link.proxies.has(target.text) && follows("proxy-neighbour");
  const isBlanket = settings.proxyArp && follows("proxy-arp");
  if (!hasEntry && !isBlanket && !settings.proxyArpPvlan) return UNTAKEN;
  if (namespace.unmodelledRouting !== null)
    return { kind: "unknown", unknown: `${namespace.name}: ${namespace.unmodelledRouting}` };
  if (!settings.forwarding && follows("forwarding")) {
    return passage.stop(namespace, "not-forwarding", {
      object: `sysctl net.ipv4.conf.${link.name.replaceAll(".", "/")}.forwarding = 0`,
      reason: `${namespace.name} would answer ARP for ${target.text} on ${link.name}, but only a machine that forwards does.`,
      remedy: "sysctl -w net.ipv4.ip_forward=1",
    });
  }
  const route = routeTo(namespace, target);
  if (route === null) {
    return passage.stop(namespace, "no-route", {
      object: `ip route get ${target.text}: Network is unreachable`,
      reason: `${namespace.name} would answer ARP for ${target.text}, but has no route there.`,
      remedy: `ip route add ${target.text} dev INTERFACE`,
    });
  }
  const isOtherWay = route.link !== link;
  if (isOtherWay ? hasEntry || isBlanket : settings.proxyArpPvlan) return null;
  return UNTAKEN;
}

function answer(passage: Passage, link: CompiledLink, { sender, senderMac, target, exchange }: ArpPacket): Fate {
  const { namespace } = link;
  if (isAnybody(sender) && passage.network.follows("learning-from-requests")) {
    exchange.learned.push({ link, address: sender, mac: senderMac });
  }
  const isProxy = !hasAddress(link, target) && localLink(namespace, target, null) === null;
  passage.tell?.(
    namespace,
    "arp",
    isProxy ? `ip neigh: ${target.text} dev ${link.name} proxy` : `ip addr: ${target.text}`,
    `answers on ${link.name} for ${target.text} with ${link.mac}${isProxy ? ", on behalf of another" : ""}`,
  );
  const reply: Frame = {
    source: link.mac,
    destination: senderMac,
    vlan: null,
    crossed: 0,
    prerouted: false,
    packet: {
      kind: "arp",
      operation: "reply",
      senderMac: link.mac,
      sender: target,
      targetMac: senderMac,
      target: sender,
      exchange,
    },
  };
  const before = passage.onReply;
  // What is remembered is told as an answer; who meets it on behalf of a packet says so (resolve.ts).
  passage.onReply ||= passage.asksForMac || passage.tell === null;
  const answers = exchange.answers.length;
  const fate =
    runHook(passage, "arp", "output", { namespace, iif: null, oif: link, frame: reply, hasLinkHeader: false }) ??
    passage.layers.sendFrame(passage, link, reply);
  passage.onReply = before;
  const arrived = exchange.answers[answers];
  if (arrived !== undefined) arrived.link = link;
  return fate;
}

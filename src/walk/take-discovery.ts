import { discoveryPacket, isAnybody, sendDiscovery } from "./ask-neighbour.ts";
import type { CompiledLink } from "./compiled-network.ts";
import { ip, isUnspecified } from "./ip-address.ts";
import { NEIGHBOUR_ADVERT, type Discovery, type IpPacket } from "./packet.ts";
import { type Fate, type Passage, UNTAKEN } from "./passage.ts";
import { hasAddress, selectAddress6 } from "./routing.ts";

const ALL_NODES = ip("ff02::1");

/** A solicitation or advertisement came up (ndisc_recv_ns and ndisc_recv_na in net/ipv6/ndisc.c). */
export function takeDiscovery(passage: Passage, link: CompiledLink, packet: IpPacket, discovery: Discovery): Fate {
  const { exchange, target } = discovery;
  if (packet.icmpType === NEIGHBOUR_ADVERT) {
    if (exchange.asker !== link || target !== exchange.target) return UNTAKEN;
    exchange.answers.push({ mac: discovery.mac, link: exchange.asker });
    return { kind: "answered" };
  }
  // Unlike ARP, an answer is given for the interface's own addresses only.
  const isOwn = hasAddress(link, target);
  if (!isOwn) {
    const refusal = whyNoProxy(passage, link, discovery);
    if (refusal !== null) return refusal;
  }
  return advertise(passage, link, packet, discovery, isOwn);
}

function whyNoProxy(passage: Passage, link: CompiledLink, { target }: Discovery): Fate | null {
  const { namespace, settings } = link;
  const { follows } = passage.network;
  if (!link.proxies.has(target.text) || !follows("proxy-ndp")) return UNTAKEN;
  const part = link.name.replaceAll(".", "/");
  if (!settings.proxyNdp) {
    return passage.stop(namespace, "no-neighbour", {
      object: `sysctl net.ipv6.conf.${part}.proxy_ndp = 0`,
      reason: `${namespace.name} has a proxy entry for ${target.text} on ${link.name}, but does not use it.`,
      remedy: `sysctl -w net.ipv6.conf.${part}.proxy_ndp=1`,
    });
  }
  if (!settings.forwarding6 && follows("forwarding")) {
    return passage.stop(namespace, "not-forwarding", {
      object: `sysctl net.ipv6.conf.${part}.forwarding = 0`,
      reason: `${namespace.name} would answer for ${target.text} on ${link.name}, but only a machine that forwards does.`,
      remedy: "sysctl -w net.ipv6.conf.all.forwarding=1",
    });
  }
  return null;
}

function advertise(passage: Passage, link: CompiledLink, packet: IpPacket, discovery: Discovery, isOwn: boolean): Fate {
  const { exchange, target, mac } = discovery;
  const { source } = packet;
  if (isAnybody(source) && passage.network.follows("learning-from-requests")) {
    exchange.learned.push({ link, address: source, mac });
  }
  passage.tell?.(
    link.namespace,
    "arp",
    isOwn ? `ip addr: ${target.text}` : `ip neigh: ${target.text} dev ${link.name} proxy`,
    `answers on ${link.name} for ${target.text} with ${link.mac}${isOwn ? "" : ", on behalf of another"}`,
  );
  const to = isUnspecified(source) ? ALL_NODES : source;
  const from = isOwn ? target : selectAddress6(link, to);
  if (from === null) return UNTAKEN;
  const advert = discoveryPacket(from, to, NEIGHBOUR_ADVERT, { target, mac: link.mac, exchange });
  const before = passage.onReply;
  passage.onReply ||= passage.asksForMac || passage.tell === null;
  const answers = exchange.answers.length;
  const fate = sendDiscovery(passage, link, advert, mac);
  passage.onReply = before;
  const arrived = exchange.answers[answers];
  if (arrived !== undefined) arrived.link = link;
  return fate;
}

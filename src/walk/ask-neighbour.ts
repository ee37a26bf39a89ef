import type { Asked, CompiledLink } from "./compiled-network.ts";
import { askedFrom } from "./exchange.ts";
import { covers, ip, isUnspecified, solicitedNode, type Ip } from "./ip-address.ts";
import { BROADCAST_MAC, NEIGHBOUR_SOLICIT, type Exchange, type Frame, type IpPacket } from "./packet.ts";
import type { Fate, Passage } from "./passage.ts";
import { hasAddress, localLink, selectAddress } from "./routing.ts";
import { runHook } from "./run-hook.ts";

/** Asks on a link who has an address, and walks the question and its answers. Remembered, unless somebody wants to read the steps. */
export function askNeighbour(passage: Passage, link: CompiledLink, target: Ip, sender: Ip | null): Asked {
  const { asked: remembered } = passage.network;
  const key = `${passage.asksForMac ? "mac " : ""}${link.id} ${target.text} ${sender?.text ?? ""}`;
  if (passage.tell === null) {
    const known = remembered.get(key);
    if (known !== undefined) return known;
  }
  const exchange: Exchange = { asker: link, target, answers: [], learned: [] };
  passage.tell?.(link.namespace, "arp", null, `asks on ${link.name} who has ${target.text}`);
  const fate =
    target.family === 4 ? sendRequest(passage, exchange, sender) : sendSolicitation(passage, exchange, sender);
  const asked = askedFrom(passage, exchange, fate);
  if (passage.tell === null) remembered.set(key, asked);
  return asked;
}

/** arp_solicit in net/ipv4/arp.c chooses the sender by arp_announce. `source`: of the packet that waits. */
export function requestSender(link: CompiledLink, target: Ip, source: Ip): Ip | null {
  const { namespace, settings, addresses } = link;
  const announce = namespace.follows("arp-announce") ? settings.arpAnnounce : 0;
  const isOwn = localLink(namespace, source, null) !== null;
  if (announce === 0 && isOwn) return source;
  if (announce === 1 && isOwn && addresses.some(({ subnet }) => covers(subnet, target) && covers(subnet, source)))
    return source;
  return selectAddress(link, target, "link");
}

/** ndisc_solicit in net/ipv6/ndisc.c: the waiting packet's source if it is the link's, else the link-local address. */
export function solicitationSender(link: CompiledLink, source: Ip): Ip | null {
  if (hasAddress(link, source)) return source;
  return link.addresses.find(({ scope }) => scope === "link")?.ip ?? null;
}

function sendRequest(passage: Passage, exchange: Exchange, sender: Ip | null): Fate {
  const { asker: link, target } = exchange;
  const frame: Frame = {
    source: link.mac,
    destination: BROADCAST_MAC,
    vlan: null,
    crossed: 0,
    prerouted: false,
    packet: {
      kind: "arp",
      operation: "request",
      senderMac: link.mac,
      sender: sender ?? NOBODY,
      targetMac: null,
      target,
      exchange,
    },
  };
  // What a packet socket sends (arping) passes no chain.
  const dropped = passage.asksForMac
    ? null
    : runHook(passage, "arp", "output", {
        namespace: link.namespace,
        iif: null,
        oif: link,
        frame,
        hasLinkHeader: false,
      });
  return dropped ?? passage.layers.sendFrame(passage, link, frame);
}

const NOBODY = ip("0.0.0.0");
const NOBODY6 = ip("::");
/** Of discovery packets, so that routers' forgeries show (RFC 4861). */
const DISCOVERY_HOP_LIMIT = 255;
/** IPv6 header, solicitation, one option. */
const DISCOVERY_BYTES = 72;

function sendSolicitation(passage: Passage, exchange: Exchange, sender: Ip | null): Fate {
  const { asker: link, target } = exchange;
  const destination = solicitedNode(target);
  const low = destination.value & 0xffffffffn;
  const bytes = low.toString(16).padStart(8, "0").match(/../g) ?? [];
  const packet = discoveryPacket(sender ?? NOBODY6, destination, NEIGHBOUR_SOLICIT, {
    target,
    mac: link.mac,
    exchange,
  });
  return sendDiscovery(passage, link, packet, `33:33:${bytes.join(":")}`);
}

export function discoveryPacket(
  source: Ip,
  destination: Ip,
  icmpType: number,
  discovery: IpPacket["discovery"],
): IpPacket {
  return {
    kind: "ip",
    source,
    destination,
    protocol: "icmpv6",
    icmpType,
    sourcePort: 0,
    destinationPort: 0,
    tcpFlags: 0,
    ttl: DISCOVERY_HOP_LIMIT,
    bytes: DISCOVERY_BYTES,
    dontFragment: false,
    mark: 0,
    isAnswer: false,
    tracked: "untracked",
    discovery,
  };
}

/** Discovery is IPv6, and so passes its chains (ndisc_send_skb). */
export function sendDiscovery(passage: Passage, link: CompiledLink, packet: IpPacket, destination: string): Fate {
  const { namespace } = link;
  const frame: Frame = { source: link.mac, destination, vlan: null, crossed: 0, prerouted: false, packet };
  const at = { namespace, iif: null, oif: link, frame, hasLinkHeader: false };
  const isRaw = passage.asksForMac && packet.icmpType === NEIGHBOUR_SOLICIT;
  const dropped = isRaw ? null : (runHook(passage, "ip6", "output", at) ?? runHook(passage, "ip6", "postrouting", at));
  return dropped ?? passage.layers.sendFrame(passage, link, frame);
}

/** Who sent the question, to be learned by those who answer; an address being tried is nobody's. */
export function isAnybody(sender: Ip): boolean {
  return !isUnspecified(sender);
}

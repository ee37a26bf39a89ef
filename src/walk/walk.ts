import type { Answer, Endpoint, Question } from "../model/reachability.ts";
import { askForMac } from "./ask-for-mac.ts";
import type { CompiledNamespace, CompiledNetwork } from "./compiled-network.ts";
import { ended } from "./ended.ts";
import { endpointIn, indexOf, namespaceOf } from "./endpoint-index.ts";
import { ip, type Ip } from "./ip-address.ts";
import { ICMP_TYPES, TCP_FLAGS, type IpPacket } from "./packet.ts";
import { type Fate, Passage } from "./passage.ts";
import { sendFrame } from "./send-frame.ts";
import { sendOwn } from "./send-ip.ts";
import { takeArp } from "./take-arp.ts";
import { takeFrame } from "./take-frame.ts";
import { takeIp } from "./take-ip.ts";

export interface WalkOptions {
  /** Tell every step. */
  trace?: boolean;
  /** Bytes of the IP packet; default: 84 of ICMP, as ping sends, else 60. */
  size?: number;
  /** Nobody may fragment it; default: false. */
  dontFragment?: boolean;
  /** TTL or hop limit; default: 64. */
  ttl?: number;
}

const LAYERS = { sendFrame, takeFrame, takeIp, takeArp };

/**
 * Walks a question's packet through the network as Linux would move it, and the answer back. Reachable means that both
 * arrive, with all ARP and neighbour discovery on the way, from empty tables or those observed. Of TCP and UDP it means that
 * the packet reaches the machine and what it answers gets back: whether a program listens there is not the network's matter.
 * Pure. Throws Error when the question names an endpoint, namespace or address that there is not.
 */
export function walk(
  network: CompiledNetwork,
  endpoints: readonly Endpoint[],
  question: Question,
  options: WalkOptions = {},
): Answer {
  const from = namespaceOf(network, endpoints, question.from);
  const address = ip(question.address);
  const passage = new Passage(network, LAYERS, options.trace === true);
  if (question.how.kind === "arp") {
    const first = indexOf(endpoints).byName.get(question.from)?.interfaces[0]?.link;
    return askForMac(passage, endpoints, from, from.links.get(first ?? "") ?? null, address);
  }
  const { how } = question;
  const sent: { source: Ip | null } = { source: null };
  const fate = sendOwn(passage, from, address, null, (source) => {
    sent.source = source;
    return request(how, source, address, { ttl: defaultTtl(from, address), ...sizeOf(question), ...options });
  });
  if (fate.kind !== "delivered" || sent.source === null)
    return ended(passage, fate, { arrived: null, answeredBy: null });
  const arrived = { source: fate.packet.source.text, ttl: fate.packet.ttl };
  const answeredBy = endpointIn(endpoints, fate.namespace);
  const answer = answerTo(passage, from, sent.source, address, fate);
  return ended(passage, answer, { arrived, answeredBy });
}

type How = Exclude<Question["how"], { kind: "arp" }>;

/** A question may say itself how large its packet is. */
function sizeOf(question: Question & { size?: number; dontFragment?: boolean }): WalkOptions {
  const { size, dontFragment } = question;
  return { ...(size === undefined ? {} : { size }), ...(dontFragment === undefined ? {} : { dontFragment }) };
}

/** As a program binds it, if it says nothing: the first of Linux's ephemeral ports. */
const CLIENT_PORT = 32768;
const ECHO_BYTES = 84;
const SMALL_BYTES = 60;
const DEFAULT_TTL = 64;

/** IPDEFTTL, unless the sender's kernel is told otherwise. */
function defaultTtl({ sysctl }: CompiledNamespace, { family }: Ip): number {
  return family === 4 ? Number(sysctl("net.ipv4.ip_default_ttl") ?? DEFAULT_TTL) : DEFAULT_TTL;
}

function request(
  how: How,
  source: Ip,
  destination: Ip,
  { size, dontFragment = false, ttl = DEFAULT_TTL }: WalkOptions,
): IpPacket {
  const isEcho = how.kind === "icmp";
  return {
    kind: "ip",
    source,
    destination,
    protocol: isEcho ? (source.family === 4 ? "icmp" : "icmpv6") : how.kind,
    icmpType: isEcho ? ICMP_TYPES[source.family].request : 0,
    sourcePort: isEcho ? 0 : CLIENT_PORT,
    destinationPort: isEcho ? 0 : how.port,
    tcpFlags: how.kind === "tcp" ? TCP_FLAGS.syn : 0,
    ttl,
    bytes: size ?? (isEcho ? ECHO_BYTES : SMALL_BYTES),
    dontFragment,
    mark: 0,
    isAnswer: false,
    tracked: null,
    discovery: null,
  };
}

/** The machine that got the request answers it, and the answer walks back to who asked. */
function answerTo(
  passage: Passage,
  asker: CompiledNamespace,
  source: Ip,
  asked: Ip,
  { namespace, packet }: Extract<Fate, { kind: "delivered" }>,
): Fate {
  const { follows } = passage.network;
  const isEcho = packet.protocol === "icmp" || packet.protocol === "icmpv6";
  if (isEcho && follows("ignored-echo")) {
    const key = packet.source.family === 4 ? "net.ipv4.icmp_echo_ignore_all" : "net.ipv6.icmp.echo_ignore_all";
    if (namespace.sysctl(key) === "1") return ignoresEcho(passage, namespace, key);
  }
  if (!follows("reply")) return { kind: "delivered", namespace: asker, packet };
  passage.onReply = true;
  const size = packet.bytes;
  const fate = sendOwn(passage, namespace, packet.source, packet.destination, (own) => ({
    ...packet,
    source: own,
    destination: packet.source,
    icmpType: isEcho ? ICMP_TYPES[own.family].reply : 0,
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
    tcpFlags: packet.protocol === "tcp" ? TCP_FLAGS.syn | TCP_FLAGS.ack : 0,
    ttl: defaultTtl(namespace, packet.source),
    bytes: size,
    // Echoes are answered without it (icmp_push_reply); what TCP sends here is small.
    dontFragment: false,
    mark: 0,
    isAnswer: true,
    tracked: null,
  }));
  if (fate.kind !== "delivered" || !follows("reply-source")) return fate;
  if (fate.namespace === asker && fate.packet.destination === source && fate.packet.source === asked) return fate;
  return passage.stop(fate.namespace, "reply", {
    object: `from ${fate.packet.source.text} to ${fate.packet.destination.text} in ${fate.namespace.name}`,
    reason:
      fate.namespace === asker
        ? `The answer comes from ${fate.packet.source.text}, not from ${asked.text}, which was asked; nobody waits for it.`
        : `The answer arrives at ${fate.namespace.name}, not at ${asker.name}.`,
    remedy:
      "Lead the answer back through the machine that translated the request, for example by masquerading the request.",
  });
}

function ignoresEcho(passage: Passage, namespace: CompiledNamespace, key: string): Fate {
  return passage.stop(namespace, "ignores-echo", {
    object: `sysctl ${key} = 1`,
    reason: `${namespace.name} gets the echo request, and answers none.`,
    remedy: `sysctl -w ${key}=0`,
  });
}

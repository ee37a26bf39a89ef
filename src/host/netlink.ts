import { LabError } from "../model/error.ts";
import { addressBytes } from "./netlink-address.ts";
import * as rt from "./netlink-constants.ts";
import {
  decodeAddress,
  decodeLink,
  decodeNamespaceId,
  decodeNeighbour,
  decodeQdisc,
  decodeRoute,
  decodeRule,
  type AddressEntry,
  type LinkEntry,
  type NeighbourEntry,
  type QdiscEntry,
  type RouteEntry,
  type RuleEntry,
} from "./netlink-entry.ts";
import {
  decodeAcknowledgement,
  hintFor,
  isAbsent,
  isFulfilled,
  requestError,
  type Acknowledgement,
} from "./netlink-error.ts";
import {
  MessageWriter,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_ECHO,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  readMessages,
  type Message,
} from "./netlink-message.ts";
import { batches } from "./netlink-batches.ts";
import { describeRequest, encodeRequest, type NetlinkRequest } from "./netlink-request.ts";
import { NETLINK_ROUTE, openNetlinkTransport, type NetlinkTransport } from "./netlink-transport.ts";

/** A dump is repeated when something changed meanwhile; more often than this it is not quiet enough to be read. */
const DUMP_ATTEMPTS = 10;

/**
 * A rtnetlink socket in one network namespace: asks the kernel to change things, and reads what is there.
 * Everything is synchronous, but what says otherwise.
 */
export class NetlinkSocket {
  readonly #transport: NetlinkTransport;
  #sequence = 0;

  /** By default opened in the network namespace that the calling thread is in. Throws LabError. */
  constructor(transport: NetlinkTransport = openNetlinkTransport(NETLINK_ROUTE)) {
    this.#transport = transport;
  }

  close(): void {
    this.#transport.close();
  }

  /**
   * Has the kernel carry out requests, in order. Deleting what is not there is fine. Throws LabError naming the first
   * request that failed; requests behind it may have been carried out.
   */
  perform(requests: readonly NetlinkRequest[]): void {
    for (const batch of batches(requests)) {
      const { datagram, first } = this.#encode(batch);
      this.#transport.send(datagram);
      this.#acknowledge(batch, first);
    }
  }

  /** As `perform`, while the calling thread does other things; nothing else may be asked of this socket meanwhile. */
  async performInBackground(requests: readonly NetlinkRequest[]): Promise<void> {
    for (const batch of batches(requests)) {
      const { datagram, first } = this.#encode(batch);
      await this.#transport.sendInBackground(datagram);
      this.#acknowledge(batch, first);
    }
  }

  /** All interfaces. */
  links(): LinkEntry[] {
    return this.#dump(rt.RTM_GETLINK, rt.RTM_NEWLINK, decodeLink, (out) => {
      out.zeros(16);
      out.attributeU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
    });
  }

  /** One interface, by its name or index; null: there is none. */
  link(which: string | number): LinkEntry | null {
    return this.#get(rt.RTM_GETLINK, rt.RTM_NEWLINK, decodeLink, (out) => {
      out.u32(0);
      out.u32(typeof which === "number" ? which : 0);
      out.zeros(8);
      out.attributeU32(rt.IFLA_EXT_MASK, rt.RTEXT_FILTER_SKIP_STATS);
      if (typeof which === "string") out.attributeText(rt.IFLA_IFNAME, which);
    });
  }

  /** All IPv4 and IPv6 addresses. */
  addresses(): AddressEntry[] {
    return this.#dump(rt.RTM_GETADDR, rt.RTM_NEWADDR, decodeAddress, (out) => out.zeros(8));
  }

  /** The addresses of one interface. */
  addressesOn(linkIndex: number): AddressEntry[] {
    return this.#filtered(() =>
      this.#dump(rt.RTM_GETADDR, rt.RTM_NEWADDR, decodeAddress, (out) => {
        out.u32(0);
        out.u32(linkIndex);
      }),
    );
  }

  /** All IPv4 and IPv6 routes, of every table. */
  routes(): RouteEntry[] {
    return this.#dump(rt.RTM_GETROUTE, rt.RTM_NEWROUTE, decodeRoute, (out) => out.zeros(12));
  }

  /** The routes by one interface, of every table. */
  routesOn(linkIndex: number): RouteEntry[] {
    return this.#filtered(() =>
      this.#dump(rt.RTM_GETROUTE, rt.RTM_NEWROUTE, decodeRoute, (out) => {
        out.zeros(12);
        out.attributeU32(rt.RTA_OIF, linkIndex);
      }),
    );
  }

  /** One entry of the ARP or NDP cache, or of proxy ARP or NDP; null: there is none. */
  neighbour(linkIndex: number, address: string, proxy: boolean): NeighbourEntry | null {
    const { family, bytes } = addressBytes(address);
    return this.#get(rt.RTM_GETNEIGH, rt.RTM_NEWNEIGH, decodeNeighbour, (out) => {
      out.u32(family);
      out.u32(linkIndex);
      out.u16(0);
      out.u8(proxy ? rt.NTF_PROXY : 0);
      out.u8(0);
      out.attribute(rt.NDA_DST, bytes);
    });
  }

  /** The ARP and NDP caches, and the entries of proxy ARP and proxy NDP, which the kernel lists apart. */
  neighbours(): NeighbourEntry[] {
    const header = (flags: number) => (out: MessageWriter) => {
      out.zeros(10);
      out.u8(flags);
      out.u8(0);
    };
    return [
      ...this.#dump(rt.RTM_GETNEIGH, rt.RTM_NEWNEIGH, decodeNeighbour, header(0)),
      ...this.#dump(rt.RTM_GETNEIGH, rt.RTM_NEWNEIGH, decodeNeighbour, header(rt.NTF_PROXY)),
    ];
  }

  /** The rules of policy routing. */
  rules(): RuleEntry[] {
    return this.#dump(rt.RTM_GETRULE, rt.RTM_NEWRULE, decodeRule, (out) => out.zeros(12));
  }

  /** All qdiscs, but for those below classful ones that the kernel hides. */
  qdiscs(): QdiscEntry[] {
    return this.#dump(rt.RTM_GETQDISC, rt.RTM_NEWQDISC, decodeQdisc, (out) => out.zeros(20));
  }

  /** The qdisc of an interface below this parent; null: there is none. @param parent default: the interface itself */
  qdisc(linkIndex: number, parent: number = rt.TC_H_ROOT): QdiscEntry | null {
    return this.#get(rt.RTM_GETQDISC, rt.RTM_NEWQDISC, decodeQdisc, (out) => {
      for (const field of [0, linkIndex, 0, parent, 0]) out.u32(field);
    });
  }

  /** Ids by which this namespace knows those that the descriptors stand for; null: it knows it by none. */
  namespaceIds(fds: readonly number[]): (number | null)[] {
    return fds.map((fd) => {
      const sequence = this.#ask(rt.RTM_GETNSID, 0, (out) => {
        out.zeros(4);
        out.attributeU32(rt.NETNSA_FD, fd);
      });
      for (const message of this.#answers(sequence)) {
        if (message.type !== NLMSG_ERROR) return decodeNamespaceId(message.payload);
        const answer = decodeAcknowledgement(message.flags, message.payload);
        throw requestError("asking for the id of a network namespace", answer, 0);
      }
      throw new Error("unreachable: answers never end by themselves");
    });
  }

  #encode(batch: readonly NetlinkRequest[]): { datagram: Uint8Array; first: number } {
    const out = new MessageWriter();
    const first = this.#sequence + 1;
    // The kernel answers a request that fails in any case; success is told for the last only, which spares the others' answers.
    batch.forEach((request, i) =>
      encodeRequest(out, request, ++this.#sequence, i === batch.length - 1 ? NLM_F_ACK : 0),
    );
    return { datagram: out.bytes(), first };
  }

  #acknowledge(batch: readonly NetlinkRequest[], first: number): void {
    const failures: { request: NetlinkRequest; answer: Acknowledgement }[] = [];
    for (const message of this.#answers(first, this.#sequence)) {
      if (message.type !== NLMSG_ERROR) continue;
      const answer = decodeAcknowledgement(message.flags, message.payload);
      const request = batch[message.sequence - first];
      if (request !== undefined && !isFulfilled(request, answer)) failures.push({ request, answer });
      if (message.sequence === this.#sequence) break;
    }
    const [failure] = failures;
    if (failure !== undefined) {
      const { request, answer } = failure;
      throw requestError(describeRequest(request), answer, failures.length - 1, hintFor(request, answer));
    }
  }

  /** Sends one request for information. @returns the number of its answers */
  #ask(type: number, flags: number, header: (out: MessageWriter) => void): number {
    const sequence = ++this.#sequence;
    const out = new MessageWriter();
    out.begin(type, NLM_F_REQUEST | flags, sequence);
    header(out);
    out.end();
    this.#transport.send(out.bytes());
    return sequence;
  }

  /** Asks for one object; null: there is none. */
  #get<T>(
    type: number,
    answerType: number,
    decode: (payload: Buffer) => T | null,
    header: (out: MessageWriter) => void,
  ): T | null {
    // Of qdiscs the kernel tells others only, unless it is to echo; and nothing of some, but for the acknowledgement.
    const sequence = this.#ask(type, NLM_F_ACK | NLM_F_ECHO, header);
    for (const message of this.#answers(sequence)) {
      if (message.type === answerType) return decode(message.payload);
      if (message.type !== NLMSG_ERROR) continue;
      const answer = decodeAcknowledgement(message.flags, message.payload);
      if (answer.code === null || isAbsent(answer)) return null;
      throw requestError("reading the network", answer, 0);
    }
    throw new Error("unreachable: answers never end by themselves");
  }

  /** The kernel lists what the request asks for, not all. */
  #filtered<T>(dump: () => T): T {
    this.#transport.filterDumps(true);
    try {
      return dump();
    } finally {
      this.#transport.filterDumps(false);
    }
  }

  #dump<T>(
    type: number,
    answerType: number,
    decode: (payload: Buffer) => T | null,
    header: (out: MessageWriter) => void,
  ): T[] {
    for (let attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
      const entries = this.#dumpOnce(type, answerType, decode, header);
      if (entries !== null) return entries;
    }
    throw new LabError("the network changes faster than it can be read", {
      hint: "wait until nothing else works on it",
    });
  }

  /** null: something changed meanwhile, and the answer may be inconsistent. */
  #dumpOnce<T>(
    type: number,
    answerType: number,
    decode: (payload: Buffer) => T | null,
    header: (out: MessageWriter) => void,
  ): T[] | null {
    const sequence = this.#ask(type, NLM_F_DUMP, header);
    const entries: T[] = [];
    let interrupted = false;
    for (const message of this.#answers(sequence)) {
      interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
      if (message.type === NLMSG_DONE) break;
      if (message.type === NLMSG_ERROR) {
        throw requestError("reading the network", decodeAcknowledgement(message.flags, message.payload), 0);
      }
      if (message.type !== answerType) continue;
      const entry = decode(message.payload);
      if (entry !== null) entries.push(entry);
    }
    return interrupted ? null : entries;
  }

  /** Messages that answer the requests numbered `first` to `last`, endlessly; the rest of a broken-off answer is passed over. */
  *#answers(first: number, last = first): Generator<Message> {
    for (;;) {
      for (const message of readMessages(this.#transport.receive())) {
        if (message.sequence >= first && message.sequence <= last) yield message;
      }
    }
  }
}

import type { Host } from "../host/host.ts";
import type { NamespaceDescriptor } from "../host/namespace-descriptor.ts";
import type { NetlinkSocket } from "../host/netlink.ts";
import type { LinkEntry } from "../host/netlink-entry.ts";
import type { LinkRef } from "../host/netlink-request.ts";
import type { NamespaceName } from "../model/plan.ts";

/** First index that is given to links in a new namespace: below may lie tunnels that some kernels make in each (`sit0`, …). */
const FIRST_INDEX = 32;

/** What is known of one namespace. */
interface Known {
  socket?: NetlinkSocket;
  descriptor?: NamespaceDescriptor;
  indexes: Map<string, number>;
  nextIndex: number;
  /** Not all links are known: whether an index is free has to be asked. */
  partly: boolean;
}

/** Sockets into namespaces, kept open from observing to applying, and the indexes by which the kernel knows their links. */
export class NetworkSession {
  readonly host: Host;
  readonly #known = new Map<NamespaceName, Known>();

  constructor(host: Host) {
    this.host = host;
  }

  socket(namespace: NamespaceName): NetlinkSocket {
    return (this.#of(namespace).socket ??= this.within(namespace, () => this.host.namespaces.netlink(null)));
  }

  /** As the host's, which looks the namespace up each time. */
  within<T>(namespace: NamespaceName, work: () => T): T {
    return this.host.namespaces.within(this.#descriptor(namespace), work);
  }

  /** Descriptor of the namespace; open until the session is closed. */
  fd(namespace: NamespaceName): number {
    return this.#descriptor(namespace).fd;
  }

  #descriptor(namespace: NamespaceName): NamespaceDescriptor {
    return (this.#of(namespace).descriptor ??= this.host.namespaces.open(namespace));
  }

  /** Takes over the indexes of all links of a namespace. */
  learn(namespace: NamespaceName, links: readonly LinkEntry[]): void {
    const known = this.#of(namespace);
    known.indexes = new Map(links.map(({ name, index }) => [name, index]));
    known.nextIndex = Math.max(known.nextIndex, ...links.map(({ index }) => index + 1));
    known.partly = false;
  }

  /**
   * Takes over the indexes of some links of a namespace.
   * @param names of the links that were looked for
   * @param count of the links that it may have
   */
  learnSome(namespace: NamespaceName, names: Iterable<string>, links: readonly LinkEntry[], count: number): void {
    const known = this.#of(namespace);
    for (const name of names) known.indexes.delete(name);
    for (const { name, index } of links) known.indexes.set(name, index);
    known.nextIndex = Math.max(known.nextIndex, FIRST_INDEX + count);
    known.partly = true;
  }

  link(namespace: NamespaceName, name: string): LinkRef {
    const index = this.#of(namespace).indexes.get(name);
    if (index === undefined) throw new Error(`${namespace}: the network state speaks of ${name}, and has no such link`);
    return { index, name };
  }

  /** Chooses an index for a link that is about to be made. */
  newLink(namespace: NamespaceName, name: string): LinkRef {
    const known = this.#of(namespace);
    while (known.partly && this.socket(namespace).link(known.nextIndex) !== null) known.nextIndex += 1;
    const index = known.nextIndex++;
    known.indexes.set(name, index);
    return { index, name };
  }

  close(): void {
    for (const { socket, descriptor } of this.#known.values()) {
      socket?.close();
      descriptor?.close();
    }
    this.#known.clear();
  }

  #of(namespace: NamespaceName): Known {
    let known = this.#known.get(namespace);
    if (known === undefined) {
      // The loopback is the first device of every namespace.
      known = { indexes: new Map([["lo", 1]]), nextIndex: FIRST_INDEX, partly: false };
      this.#known.set(namespace, known);
    }
    return known;
  }
}

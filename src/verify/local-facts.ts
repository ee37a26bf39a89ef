import type { Host } from "../host/host.ts";
import { isListening, readListeners, type Listener } from "../host/listening-ports.ts";
import { lookUpRoutes, type FoundRoute } from "../host/route-lookup.ts";
import type { NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { Endpoint } from "../model/reachability.ts";
import type { AskingLink, Surroundings } from "./probe.ts";

/** RTN_LOCAL of linux/rtnetlink.h: the address is the asker's own. */
export const LOCAL_ROUTE = 2;

/** What is asked of each namespace, once: its addresses, its listeners, its ways. */
export class LocalFacts implements Surroundings {
  readonly endpoints: readonly Endpoint[];
  readonly #host: Host;
  readonly #guests: ReadonlyMap<NamespaceName, Endpoint>;
  readonly #addresses = new Map<NamespaceName, Set<string>>();
  readonly #listeners = new Map<string, Listener[]>();

  /** `network`: says which endpoints are guests, whose addresses are those of the plan. */
  constructor(host: Host, endpoints: readonly Endpoint[], network: NetworkState = {}) {
    this.#host = host;
    this.endpoints = endpoints;
    this.#guests = new Map(
      endpoints.flatMap((endpoint) =>
        network[endpoint.namespace]?.guest === true ? [[endpoint.namespace, endpoint]] : [],
      ),
    );
  }

  owns(namespace: NamespaceName, address: string): boolean {
    const guest = this.#guests.get(namespace);
    if (guest !== undefined) return guest.interfaces.some(({ addresses }) => addresses.includes(address));
    let own = this.#addresses.get(namespace);
    if (own === undefined) {
      own = new Set(this.#netlink(namespace, (netlink) => netlink.addresses()).map((entry) => entry.address));
      this.#addresses.set(namespace, own);
    }
    return own.has(address);
  }

  listens(namespace: NamespaceName, protocol: "tcp" | "udp", address: string, port: number): boolean {
    // Guests have no rules that could refuse in the place of a listener: what they refuse, nobody listens for.
    if (this.#guests.has(namespace)) return false;
    const key = `${namespace}/${protocol}`;
    let listeners = this.#listeners.get(key);
    if (listeners === undefined) {
      listeners = this.#host.namespaces.within(namespace, () => readListeners(protocol));
      this.#listeners.set(key, listeners);
    }
    return isListening(listeners, address, port);
  }

  /** For each address how `endpoint` would ask for it; null: it has no interface that could. */
  askingLinks(endpoint: Endpoint, addresses: readonly string[]): (AskingLink | null)[] {
    const { namespace } = endpoint;
    const routes = this.#host.namespaces.within(namespace, () => lookUpRoutes(addresses));
    const { links, own } = this.#netlink(namespace, (netlink) => ({
      links: netlink.links(),
      own: netlink.addresses(),
    }));
    const first = links.find(({ name }) => name === endpoint.interfaces[0]?.link) ?? null;
    return addresses.map((address, i) => {
      const route: FoundRoute | null = routes[i] ?? null;
      const isWay = route !== null && route.type !== LOCAL_ROUTE;
      const link = (isWay ? links.find(({ index }) => index === route.linkIndex) : null) ?? first;
      if (link === null || link.mac === null) return null;
      const isV6 = address.includes(":");
      const onLink = own.filter((entry) => entry.linkIndex === link.index && entry.address.includes(":") === isV6);
      const source = isWay ? route.source : null;
      // IPv6 asks by one of the link's own addresses only.
      const own4 = isV6 ? null : source;
      const preferred = onLink.find((entry) => entry.address === source) ?? onLink[0];
      return {
        index: link.index,
        name: link.name,
        mac: link.mac,
        address: own4 ?? preferred?.address ?? source,
      };
    });
  }

  #netlink<T>(namespace: NamespaceName, ask: (netlink: ReturnType<Host["namespaces"]["netlink"]>) => T): T {
    const netlink = this.#host.namespaces.netlink(namespace);
    try {
      return ask(netlink);
    } finally {
      netlink.close();
    }
  }
}

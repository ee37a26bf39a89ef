import type { Address, Link, NamespaceState, NetworkState, Route, Shaping } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";

/**
 * MAC of switch ports, as Xen gives its vifs: no frame is ever addressed to it, and being the highest unicast address
 * a bridge would never choose it for its own.
 */
export const PORT_MAC = "fe:ff:ff:ff:ff:ff";

/** CPUs that process received frames: on the host's interfaces, in the guests, and on the LAN's side. Empty: no RPS. */
export interface RpsCpus {
  host: number[];
  guest: number[];
  lan: number[];
}

/** One end of a wire, and where it is. */
export interface End {
  namespace: NamespaceName;
  name: string;
  mac: string;
  master: string | null;
  rpsCpus: number[];
  isolated?: boolean | undefined;
  shaping?: Shaping | undefined;
}

export function emptyNamespace(): NamespaceState {
  return { links: [], addresses: [], routes: [], neighbours: [], sysctls: {}, tables: {} };
}

/** One namespace, with what is said of it. */
export function inNamespace(namespace: NamespaceName, part: Partial<NamespaceState>): NetworkState {
  return { [namespace]: { ...emptyNamespace(), ...part } };
}

const LOOPBACK: Link = {
  name: "lo",
  kind: "loopback",
  up: true,
  mtu: 65536,
  mac: null,
  master: null,
  peer: null,
  rpsCpus: [],
};

/** Without duplicate address detection: for two seconds after a link comes up, a router could ask for no neighbour on it. */
const IPV6 = {
  "net.ipv6.conf.all.disable_ipv6": "0",
  "net.ipv6.conf.all.accept_dad": "0",
  "net.ipv6.conf.default.accept_dad": "0",
};

/**
 * Every namespace of a lab: loopback up, no IPv6 (no router solicitations, no addresses that come by themselves) unless a
 * network of it has some.
 */
export function quiet(namespace: NamespaceName, ipv6 = false): NetworkState {
  return inNamespace(namespace, quietState(ipv6));
}

export function quietState(ipv6: boolean): Pick<NamespaceState, "links" | "sysctls"> {
  return { links: [LOOPBACK], sysctls: ipv6 ? IPV6 : { "net.ipv6.conf.all.disable_ipv6": "1" } };
}

/** A bridge without addresses. */
export function bridge(namespace: NamespaceName, name: string, mac: string, mtu: number): NetworkState {
  return inNamespace(namespace, {
    links: [{ name, kind: "bridge", up: true, mtu, mac, master: null, peer: null, rpsCpus: [] }],
    // With br_netfilter loaded, frames that only cross the bridge would be filtered and tracked as if they were routed.
    sysctls: { "net.bridge.bridge-nf-call-iptables": "0" },
  });
}

/** A veth pair. */
export function wire(a: End, b: End, mtu: number): NetworkState[] {
  return [
    inNamespace(a.namespace, { links: [veth(a, b, mtu)] }),
    inNamespace(b.namespace, { links: [veth(b, a, mtu)] }),
  ];
}

export function veth(self: End, other: End, mtu: number): Link {
  return {
    name: self.name,
    kind: "veth",
    up: true,
    mtu,
    mac: self.mac,
    master: self.master,
    peer: { namespace: other.namespace, name: other.name },
    rpsCpus: self.rpsCpus,
    ...(self.isolated === true ? { isolated: true } : {}),
    ...(self.shaping === undefined ? {} : { shaping: self.shaping }),
  };
}

export function addressesOf(
  link: string,
  { address, prefix }: { address: string | null; prefix: number },
  { address6 = null, prefix6 = null }: { address6?: string | null; prefix6?: number | null } = {},
): Address[] {
  return [
    ...(address === null ? [] : [{ link, address, prefix }]),
    ...(address6 === null || prefix6 === null ? [] : [{ link, address: address6, prefix: prefix6 }]),
  ];
}

export function defaultRoutes(link: string, via: string | null, via6: string | null = null): Route[] {
  return [
    ...(via === null ? [] : [{ destination: "default", via, link }]),
    ...(via6 === null ? [] : [{ destination: "::/0", via: via6, link }]),
  ];
}

/** The sysctl of one interface, as `net.ipv4.conf.vif1/0.proxy_arp`: a slash stands for a dot, as in sysctl.d(5). */
export function linkSysctl(
  tree: "ipv4.conf" | "ipv4.neigh" | "ipv6.conf" | "ipv6.neigh",
  link: string,
  name: string,
): string {
  return `net.${tree}.${link.replaceAll(".", "/")}.${name}`;
}

/**
 * Answers come back by whichever way they are routed, so a namespace with several interfaces asks of no packet that its
 * sender be reached through the interface that it came in by.
 */
export const NO_REVERSE_PATH_FILTER = {
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
};

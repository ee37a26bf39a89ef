import type { Host } from "../host/host.ts";
import * as rt from "../host/netlink-constants.ts";
import type { AddressEntry, LinkEntry, RouteEntry } from "../host/netlink-entry.ts";
import { readNetworkSysctl } from "../host/sysctl.ts";
import { NetworkSysfs } from "../host/sysfs.ts";
import type { Link, NamespaceState, NetworkState } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import { resolvePeers, type PeerOf } from "./peers.ts";
import { parseCpuMask, RPS_FILE } from "./rps.ts";
import { NetworkSession } from "./session.ts";
import { observeTables } from "./tables.ts";

export interface ObserveOptions {
  /** Sysctls to read: those that these namespaces name here. */
  like?: NetworkState;
}

/**
 * Reads the network of these namespaces back from the kernel, without what it does by itself: loopback addresses,
 * connected routes, link-local IPv6, learned neighbours, leases. Throws LabError when a namespace is not there.
 */
export async function observeNetwork(
  host: Host,
  namespaces: readonly NamespaceName[],
  options: ObserveOptions = {},
): Promise<NetworkState> {
  const session = new NetworkSession(host);
  try {
    return await observeIn(session, namespaces, options);
  } finally {
    session.close();
  }
}

/** As `observeNetwork`, with the sockets of a session, which learns the indexes of the links. */
export async function observeIn(
  session: NetworkSession,
  namespaces: readonly NamespaceName[],
  { like = {} }: ObserveOptions,
): Promise<NetworkState> {
  const links = new Map<NamespaceName, LinkEntry[]>();
  for (const namespace of namespaces) {
    const entries = session.socket(namespace).links();
    session.learn(namespace, entries);
    links.set(namespace, entries);
  }
  const peerOf = resolvePeers(session, links);
  const observed: NetworkState = {};
  for (const [namespace, entries] of links) {
    const sysctls = Object.keys(like[namespace]?.sysctls ?? {});
    observed[namespace] = observeNamespace(session, namespace, entries, peerOf, sysctls);
  }
  const tables = await observeTables(session.host, namespaces);
  for (const [namespace, state] of Object.entries(observed)) state.tables = tables.get(namespace) ?? {};
  return observed;
}

function observeNamespace(
  session: NetworkSession,
  namespace: NamespaceName,
  entries: LinkEntry[],
  peerOf: PeerOf,
  sysctls: string[],
): NamespaceState {
  const socket = session.socket(namespace);
  const names = new Map(entries.map(({ index, name }) => [index, name]));
  const nameOf = (index: number) => names.get(index) ?? `link ${index}`;
  const shown = entries.filter(isShown);
  const inside = session.within(namespace, () => ({
    rps: readRps(shown),
    sysctls: readSysctls(sysctls),
  }));

  return {
    links: shown.map((entry) => ({
      name: entry.name,
      kind: kindOf(entry),
      up: entry.up,
      mtu: entry.mtu,
      mac: entry.mac,
      master: entry.masterIndex === null ? null : nameOf(entry.masterIndex),
      peer: entry.kind === "veth" ? peerOf(namespace, entry) : null,
      rpsCpus: inside.rps.get(entry.name) ?? [],
    })),
    addresses: socket
      .addresses()
      .filter(isConfigured)
      .map(({ linkIndex, address, prefix }) => ({ link: nameOf(linkIndex), address, prefix })),
    routes: socket
      .routes()
      .filter(isSet)
      .map(({ destination, via, linkIndex }) => ({
        destination,
        via,
        link: linkIndex === null ? null : nameOf(linkIndex),
      })),
    neighbours: socket
      .neighbours()
      .filter(({ permanent }) => permanent)
      .map(({ linkIndex, address, mac, proxy }) => ({ link: nameOf(linkIndex), address, mac, proxy })),
    sysctls: inside.sysctls,
    tables: {},
  };
}

/** Tunnels that some kernels put into every namespace and let nobody delete (net.core.fb_tunnels_only_for_init_net). */
const KERNEL_TUNNELS = new Set("tunl0 gre0 gretap0 erspan0 ip_vti0 ip6_vti0 sit0 ip6tnl0 ip6gre0".split(" "));

function isShown({ name }: LinkEntry): boolean {
  return !KERNEL_TUNNELS.has(name);
}

function kindOf({ loopback, kind }: LinkEntry): Link["kind"] {
  if (loopback) return "loopback";
  return kind === "veth" || kind === "bridge" ? kind : "other";
}

function isConfigured({ scope, permanent }: AddressEntry): boolean {
  return permanent && scope !== rt.RT_SCOPE_HOST && scope !== rt.RT_SCOPE_LINK;
}

const KERNEL_PROTOCOLS = new Set([rt.RTPROT_KERNEL, rt.RTPROT_REDIRECT, rt.RTPROT_RA, rt.RTPROT_DHCP]);

function isSet({ table, protocol, type }: RouteEntry): boolean {
  return table === rt.RT_TABLE_MAIN && type === rt.RTN_UNICAST && !KERNEL_PROTOCOLS.has(protocol);
}

function readRps(links: readonly LinkEntry[]): Map<string, number[]> {
  const sysfs = new NetworkSysfs();
  try {
    return new Map(links.map(({ name }) => [name, parseCpuMask(sysfs.read(name, RPS_FILE) ?? "0")]));
  } finally {
    sysfs.close();
  }
}

/** What a kernel without the thing answers to whether it is switched on: IPv6 is disabled, bridged frames pass no iptables. */
const WITHOUT: [RegExp, string][] = [
  [/^net\.ipv6\.conf\..*\.disable_ipv6$/, "1"],
  [/^net\.bridge\.bridge-nf-call-/, "0"],
];

function readSysctls(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = readNetworkSysctl(name) ?? WITHOUT.find(([pattern]) => pattern.test(name))?.[1];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

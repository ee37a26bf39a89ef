import { listLegacyTables } from "../host/legacy-iptables.ts";
import * as rt from "../host/netlink-constants.ts";
import type { AddressEntry, LinkEntry, NeighbourEntry, RouteEntry } from "../host/netlink-entry.ts";
import { readNetworkSysctl } from "../host/sysctl.ts";
import { NetworkSysfs } from "../host/sysfs.ts";
import type { Address, Link, NamespaceState, Route } from "../model/network-state.ts";
import type { NamespaceName } from "../model/plan.ts";
import type { PeerOf } from "./peers.ts";
import { parseCpuMask, RPS_FILE } from "./rps.ts";
import type { NetworkSession } from "./session.ts";
import { sysctlWithout } from "./sysctl-without.ts";
import { walkSysctls } from "./walk-sysctls.ts";

/** What the kernel says at once about a namespace: its configuration, and the entries that more is read from. */
export interface ReadNamespace {
  state: NamespaceState;
  /** All but those tunnels that are in every namespace. */
  links: LinkEntry[];
  addresses: AddressEntry[];
  routes: RouteEntry[];
  neighbours: NeighbourEntry[];
  nameOf: (index: number) => string;
  /** Links that the plan leaves to DHCP clients. */
  leased: ReadonlySet<string>;
  /** Only where it is asked for. */
  legacyTables: string[];
}

/** Reads what takes no program: links, addresses, routes, neighbours, sysctls. */
export function readNamespace(
  session: NetworkSession,
  namespace: NamespaceName,
  entries: LinkEntry[],
  peerOf: PeerOf,
  like: NamespaceState | undefined,
  forWalk: boolean,
): ReadNamespace {
  const socket = session.socket(namespace);
  const names = new Map(entries.map(({ index, name }) => [index, name]));
  const nameOf = (index: number) => names.get(index) ?? `link ${index}`;
  const links = entries.filter(isShown);
  const known = forWalk ? walkSysctls(links.map(({ name }) => name)) : [];
  const inside = session.within(namespace, () => ({
    rps: readRps(links),
    sysctls: readSysctls([...new Set([...known, ...Object.keys(like?.sysctls ?? {})])]),
    legacyTables: forWalk ? listLegacyTables() : [],
  }));
  const [addresses, routes, neighbours] = [socket.addresses(), socket.routes(), socket.neighbours()];
  const leased = new Set(like?.leased);
  const state = toState(
    { links, addresses, routes, neighbours, ...inside },
    { nameOf, like, peerOf: (link) => peerOf(namespace, link) },
  );
  return { state, links, addresses, routes, neighbours, nameOf, leased, legacyTables: inside.legacyTables };
}

interface Entries {
  links: readonly LinkEntry[];
  addresses: readonly AddressEntry[];
  routes: readonly RouteEntry[];
  neighbours: readonly NeighbourEntry[];
  /** Key: link. */
  rps: ReadonlyMap<string, number[]>;
  sysctls: Record<string, string>;
}

/** What entries say as the state of a namespace; without tables, shaping and switches. */
export function toState(
  { links, addresses, routes, neighbours, rps, sysctls }: Entries,
  {
    nameOf,
    like,
    peerOf,
  }: { nameOf: (index: number) => string; like: NamespaceState | undefined; peerOf: (link: LinkEntry) => Link["peer"] },
): NamespaceState {
  const leased = new Set(like?.leased);
  const switches = new Set(like?.switches?.map(({ name }) => name));
  // Who holds the other end of a tap is no concern of the kernel's.
  const guestOf = new Map(
    like?.links.flatMap(({ kind, name, peer }) => (kind === "tap" || kind === "vif" ? [[name, peer]] : [])),
  );
  const vifs = new Set(like?.links.flatMap(({ kind, name }) => (kind === "vif" ? [name] : [])));
  return {
    links: links.map((entry) => ({
      name: entry.name,
      kind: switches.has(entry.name) ? "switch-port" : isVif(entry, vifs) ? "vif" : kindOf(entry),
      up: entry.up,
      mtu: entry.mtu,
      mac: entry.mac,
      master: entry.masterIndex === null ? null : nameOf(entry.masterIndex),
      peer: entry.kind === "veth" ? peerOf(entry) : (guestOf.get(entry.name) ?? null),
      rpsCpus: rps.get(entry.name) ?? [],
      ...(entry.vlanId === null || entry.peerIndex === null
        ? {}
        : { vlan: { parent: nameOf(entry.peerIndex), id: entry.vlanId } }),
      ...(entry.isolated ? { isolated: true } : {}),
    })),
    addresses: addresses
      .filter(isConfigured)
      .map((entry) => toAddress(entry, nameOf))
      .filter(({ link }) => !leased.has(link)),
    routes: routes
      .filter(isSet)
      .map((entry) => toRoute(entry, nameOf))
      .filter(({ link }) => link === null || !leased.has(link)),
    neighbours: neighbours
      .filter(({ permanent }) => permanent)
      .map(({ linkIndex, address, mac, proxy }) => ({ link: nameOf(linkIndex), address, mac, proxy })),
    sysctls,
    tables: {},
  };
}

/** Tunnels that some kernels put into every namespace and let nobody delete (net.core.fb_tunnels_only_for_init_net). */
const KERNEL_TUNNELS = new Set("tunl0 gre0 gretap0 erspan0 ip_vti0 ip6_vti0 sit0 ip6tnl0 ip6gre0".split(" "));

function isShown({ name }: LinkEntry): boolean {
  return !KERNEL_TUNNELS.has(name);
}

/** Devices that Open vSwitch makes for its datapaths themselves. */
const DATAPATHS = new Set(["ovs-netdev", "ovs-system"]);

/** The kernel knows no kind of a driver's own interfaces, of which a domain's backend is one. */
function isVif({ name, kind, loopback }: LinkEntry, vifs: ReadonlySet<string>): boolean {
  return kind === null && !loopback && vifs.has(name);
}

function kindOf({ loopback, kind, name, vlanId }: LinkEntry): Link["kind"] {
  if (loopback) return "loopback";
  if (DATAPATHS.has(name)) return "switch-port";
  if (kind === "vlan") return vlanId === null ? "other" : "vlan";
  if (kind === "tun") return "tap";
  return kind === "veth" || kind === "bridge" ? kind : "other";
}

export function toAddress({ linkIndex, address, prefix }: AddressEntry, nameOf: (index: number) => string): Address {
  return { link: nameOf(linkIndex), address, prefix };
}

export function toRoute(entry: RouteEntry, nameOf: (index: number) => string): Route {
  const { destination, via, linkIndex, onLink, source } = entry;
  return {
    destination,
    via,
    link: linkIndex === null ? null : nameOf(linkIndex),
    ...(onLink ? { onLink } : {}),
    ...(source === null ? {} : { source }),
  };
}

export function isGlobal({ scope }: AddressEntry): boolean {
  return scope !== rt.RT_SCOPE_HOST && scope !== rt.RT_SCOPE_LINK;
}

function isConfigured(entry: AddressEntry): boolean {
  return entry.permanent && isGlobal(entry);
}

const KERNEL_PROTOCOLS = new Set([rt.RTPROT_KERNEL, rt.RTPROT_REDIRECT, rt.RTPROT_RA, rt.RTPROT_DHCP]);

export function isMainUnicast({ table, protocol, type }: RouteEntry): boolean {
  return table === rt.RT_TABLE_MAIN && type === rt.RTN_UNICAST && protocol !== rt.RTPROT_KERNEL;
}

function isSet(entry: RouteEntry): boolean {
  return isMainUnicast(entry) && !KERNEL_PROTOCOLS.has(entry.protocol);
}

/** CPUs that process what each receives, by name. Inside the namespace. */
export function readRps(links: readonly LinkEntry[]): Map<string, number[]> {
  const sysfs = new NetworkSysfs();
  try {
    return new Map(links.map(({ name }) => [name, parseCpuMask(sysfs.read(name, RPS_FILE) ?? "0")]));
  } finally {
    sysfs.close();
  }
}

/** Those that this kernel has. Inside the namespace. */
export function readSysctls(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = readNetworkSysctl(name) ?? sysctlWithout(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

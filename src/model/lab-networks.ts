import { canonicalSubnet, overlap } from "./ip-range.ts";
import type { Domain, Lab } from "./lab.ts";
import type { Network, Nic } from "./network.ts";

/** MTU of an Ethernet. */
export const DEFAULT_MTU = 1500;

/** A LAN of the company: a bridge network's, a routed network's own, or the one that a lab without either is given. */
export interface CompanyLan {
  /** Names its parts: `lan<index>`, the host's card `eth<index>`, `xenbr<index>`. */
  index: number;
  /** The network that it belongs to; null: implied. */
  network: string | null;
  subnet: string;
  subnet6: string | null;
  mtu: number;
  /** Guests are on it themselves: the host has the bridge `xenbr<index>`. */
  bridged: boolean;
  /** The host has an address there. */
  host: boolean;
  uplink: string | null;
  /** Of the real LAN, with an uplink. */
  gateway: string | null;
}

/** How the LAN of a lab without bridge and routed networks is called. */
export const IMPLIED_LAN = "lan";

/** The company's LANs in the order of their networks; always at least one, which has the station and the outside machine. */
export function companyLans(lab: Lab): CompanyLan[] {
  const lans: CompanyLan[] = [];
  for (const [name, network] of Object.entries(lab.networks)) {
    if (network.mode === "bridge") {
      const { subnet, subnet6 = null, mtu = DEFAULT_MTU, host, uplink = null, gateway = null } = network;
      lans.push({ index: lans.length, network: name, subnet, subnet6, mtu, bridged: true, host, uplink, gateway });
    } else if (network.mode === "routed" && network.subnet !== undefined) {
      const { subnet, subnet6 = null, mtu = DEFAULT_MTU } = network;
      const own = { network: name, subnet, subnet6, mtu: Math.max(mtu, DEFAULT_MTU), bridged: false };
      lans.push({ index: lans.length, ...own, host: true, uplink: null, gateway: null });
    }
  }
  if (lans.length === 0) {
    const subnet = lab.lan?.subnet ?? freeSubnet(lab);
    const own = { network: null, subnet, subnet6: lab.lan?.subnet6 ?? null, mtu: DEFAULT_MTU, bridged: false };
    lans.push({ index: 0, ...own, host: true, uplink: null, gateway: null });
  }
  return lans;
}

/** 10.23.0.0/24, or the next 10.x.0.0/24 that no network of the lab has. */
function freeSubnet(lab: Lab): string {
  const taken = Object.values(lab.networks).flatMap(({ subnet }) => (subnet === undefined ? [] : [subnet]));
  for (let i = 0; i < 256; i++) {
    const subnet = `10.${(23 + i) % 256}.0.0/24`;
    if (!taken.some((other) => overlap(subnet, other))) return subnet;
  }
  return "10.23.0.0/24";
}

/** The LAN that a network's guests are on (bridge), lie in (routed) or leave by (nat); null: none, or a wrong reference. */
export function lanOf(lans: readonly CompanyLan[], name: string, network: Network): CompanyLan | null {
  switch (network.mode) {
    case "bridge":
      return lans.find((lan) => lan.network === name) ?? null;
    case "routed":
      return lans.find((lan) => lan.network === (network.lan ?? name)) ?? null;
    case "nat":
      if (network.lan !== undefined) return lans.find((lan) => lan.network === network.lan) ?? null;
      return lans.find((lan) => lan.host) ?? null;
    case "isolated":
    case "vlan":
      return null;
  }
}

/** The subnets that a network's guests have addresses of; null: a wrong reference. */
export function subnetsOf(
  lans: readonly CompanyLan[],
  name: string,
  network: Network,
): { subnet: string; subnet6: string | null } | null {
  if (network.mode === "bridge" || network.mode === "routed") {
    const lan = lanOf(lans, name, network);
    return lan === null ? null : { subnet: lan.subnet, subnet6: lan.subnet6 };
  }
  return { subnet: network.subnet, subnet6: network.mode === "vlan" ? (network.subnet6 ?? null) : null };
}

/** MTU of the guests' links. */
export function mtuOf(lab: Lab, lans: readonly CompanyLan[], name: string, network: Network): number {
  if (network.mtu !== undefined) return network.mtu;
  if (network.mode === "vlan") return trunkMtu(lab);
  return lanOf(lans, name, network)?.mtu ?? DEFAULT_MTU;
}

export function trunkMtu(lab: Lab): number {
  return lab.trunk === undefined || lab.trunk === false ? DEFAULT_MTU : (lab.trunk.mtu ?? DEFAULT_MTU);
}

/** A domain's interfaces: without any named, one on the first network. */
export function nicsOf(lab: Lab, domain: Domain): Nic[] {
  if (domain.nics !== undefined) return domain.nics;
  const first = Object.keys(lab.networks)[0];
  return first === undefined ? [] : [{ network: first, rate: {} }];
}

/** The LAN of the station and the outside machine. */
export function stationLan(lab: Lab, lans: readonly CompanyLan[]): CompanyLan | null {
  if (lab.station.network === undefined) return lans[0] ?? null;
  const network = lab.networks[lab.station.network];
  return network === undefined || network.mode === "nat" ? null : lanOf(lans, lab.station.network, network);
}

/** `routes` of a domain may say where everything goes. */
export function isDefaultRoute(to: string): boolean {
  return to.endsWith("/0");
}

/** As `ip route` shows it: `default` is IPv4's, `::/0` IPv6's. */
export function routeDestination(to: string): string {
  if (isDefaultRoute(to)) return to.includes(":") ? "::/0" : "default";
  return canonicalSubnet(to);
}

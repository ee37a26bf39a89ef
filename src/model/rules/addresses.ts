import { domainNames } from "../domain-names.ts";
import { isWithin, range, range6, toNumber, toNumber6 } from "../ip-range.ts";
import type { Issue } from "../issue.ts";
import { companyLans, lanOf, nicsOf, stationLan, subnetsOf, type CompanyLan } from "../lab-networks.ts";
import type { Lab } from "../lab.ts";
import type { Network, Nic } from "../network.ts";

/** Addresses of a subnet that the company LAN keeps: gateway and DHCP server, host, station, outside machine. */
const LAN_ADDRESSES = 4;
/** Of any other: the host's, or on a VLAN the outside machine's. */
const PRIVATE_ADDRESSES = 1;

/** Fixed addresses fit their network, belong to one machine each, and there are enough for all. */
export function addressIssues(lab: Lab): Issue[] {
  const lans = companyLans(lab);
  const fixed = fixedAddresses();
  const issues: Issue[] = [];
  /** By subnet. */
  const members = new Map<string, number>();

  const { address } = lab.station;
  const lan = stationLan(lab, lans);
  if (address !== undefined && lan !== null) {
    const gateway = lan.gateway ?? undefined;
    issues.push(
      ...fixed(address, lan, lan.network ?? "lan", gateway ?? "first", ["station", "address"], "the station"),
    );
  }
  for (const { key, name, domain } of domainNames(lab)) {
    nicsOf(lab, domain).forEach((nic, i) => {
      const network = lab.networks[nic.network];
      const subnets = network === undefined ? null : subnetsOf(lans, nic.network, network);
      if (network === undefined || subnets === null) return;
      members.set(subnets.subnet, (members.get(subnets.subnet) ?? 0) + 1);
      const path = ["domains", key, "nics", i];
      issues.push(...leaseIssues(nic, network, [...path, "address"]));
      if (nic.address === "dhcp" && nic.address6 !== undefined)
        issues.push({
          path: [...path, "address6"],
          message: "a leased interface has IPv4 only: give it an address as well",
        });
      const gateway = gatewayOf(lans, nic.network, network);
      for (const which of ["address", "address6"] as const) {
        const value = nic[which];
        if (value === undefined || value === "dhcp") continue;
        if (domain.count !== undefined) {
          const message = `one address can't serve several domains: leave it out with count`;
          if (name === `${key}1`) issues.push({ path: [...path, which], message });
        } else issues.push(...fixed(value, subnets, nic.network, gateway, [...path, which], name));
      }
    });
  }
  return [...issues, ...roomIssues(lab, lans, members)];
}

function leaseIssues({ address }: Nic, network: Network, path: Issue["path"]): Issue[] {
  if (address !== "dhcp") return [];
  if (network.mode === "routed")
    return [{ path, message: "guests of a routed network are static: no DHCP server reaches them" }];
  if (network.mode === "isolated" && !network.host)
    return [{ path, message: "nobody serves DHCP there: an isolated network has a server with host: true" }];
  return [];
}

/** `first`: the subnet's first address; null: no address is a gateway's. */
function gatewayOf(lans: CompanyLan[], name: string, network: Network): string | null {
  if (network.mode === "vlan") return null;
  return lanOf(lans, name, network)?.gateway ?? "first";
}

/** Judges one fixed address after the other; remembers whose they are. */
function fixedAddresses() {
  const taken = new Map<string, string>();
  return (
    address: string,
    subnets: { subnet: string; subnet6: string | null },
    network: string,
    gateway: string | null,
    path: Issue["path"],
    owner: string,
  ): Issue[] => {
    const issues: Issue[] = [];
    const isIpv6 = address.includes(":");
    const subnet = isIpv6 ? subnets.subnet6 : subnets.subnet;
    if (subnet === null) return [{ path, message: `${address}: network ${network} has no subnet6` }];
    if (!isWithin(address, subnet))
      issues.push({ path, message: `${address} is outside ${subnet} of network ${network}` });
    else if (isReserved(address, subnet))
      issues.push({ path, message: `${address} is the network's own or broadcast address` });
    else if (address === gateway || (gateway === "first" && isFirst(address, subnet)))
      issues.push({ path, message: `${address} is the gateway's` });
    const key = isIpv6 ? String(toNumber6(address)) : address;
    const other = taken.get(key);
    if (other !== undefined) issues.push({ path, message: `${address} is already ${other}'s` });
    taken.set(key, owner);
    return issues;
  };
}

function isReserved(address: string, subnet: string): boolean {
  if (address.includes(":")) return toNumber6(address) === range6(subnet).first;
  const { first, last } = range(subnet);
  return toNumber(address) === first || toNumber(address) === last;
}

function isFirst(address: string, subnet: string): boolean {
  if (address.includes(":")) return toNumber6(address) === range6(subnet).first + 1n;
  return toNumber(address) === range(subnet).first + 1;
}

function roomIssues(lab: Lab, lans: CompanyLan[], members: ReadonlyMap<string, number>): Issue[] {
  return Object.entries(lab.networks).flatMap(([name, network]): Issue[] => {
    const isLan = lans.some((lan) => lan.network === name);
    const { subnet } = network;
    if (subnet === undefined) return [];
    const { first, last } = range(subnet);
    const room = last - first - 1 - (isLan ? LAN_ADDRESSES : PRIVATE_ADDRESSES);
    const needed = members.get(subnet) ?? 0;
    if (needed <= room || room <= 0) return [];
    const message = `${subnet} has room for ${room} domains, and ${needed} interfaces want an address`;
    return [{ path: ["networks", name, "subnet"], message }];
  });
}

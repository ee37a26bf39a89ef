import ipaddr from "ipaddr.js";
import { parseCpuList } from "./cpu-list.ts";
import type { Issue } from "./issue.ts";
import { BUILT_IN_SERVICES } from "./image.ts";
import type { Domain, Lab } from "./lab.ts";

/** Addresses of a subnet that the company LAN keeps: gateway and DHCP server, host, station, outside machine. */
export const RESERVED_ADDRESSES = 4;

/** Names of the domains that a lab makes, with `count` spelt out, in the order of the file. */
export function domainNames(lab: Lab): { name: string; key: string; domain: Domain }[] {
  return Object.entries(lab.domains).flatMap(([key, domain]) =>
    domain.count === undefined
      ? [{ name: key, key, domain }]
      : Array.from({ length: domain.count }, (_, i) => ({ name: `${key}${i + 1}`, key, domain })),
  );
}

/** What a schema can't say: every name refers to something, addresses fit. All problems at once. */
export function labIssues(lab: Lab): Issue[] {
  return [...referenceIssues(lab), ...subnetIssues(lab), ...addressIssues(lab), ...nameIssues(lab), ...cpuIssues(lab)];
}

function referenceIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const known = (kind: "images" | "networks", name: string, path: Issue["path"]) => {
    if (name in lab[kind]) return;
    const names = Object.keys(lab[kind]).join(", ") || "none";
    issues.push({ path, message: `${name} is not among the ${kind} of this lab (${names})` });
  };
  for (const [name, domain] of Object.entries(lab.domains)) {
    known("images", domain.image, ["domains", name, "image"]);
    domain.nics?.forEach((nic, i) => known("networks", nic.network, ["domains", name, "nics", i, "network"]));
    const image = lab.images[domain.image];
    if (image === undefined) continue;
    const services = [
      ...(image.recipe === undefined ? [] : BUILT_IN_SERVICES[image.recipe]),
      ...Object.keys(image.services),
    ];
    domain.services?.forEach((service, i) => {
      if (!services.includes(service)) {
        issues.push({
          path: ["domains", name, "services", i],
          message: `${service} is not a service of image ${domain.image} (${services.join(", ") || "it has none"})`,
        });
      }
    });
  }
  if (lab.station.network !== undefined) known("networks", lab.station.network, ["station", "network"]);
  return issues;
}

function subnetIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const ranges = Object.entries(lab.networks).map(([name, network]) => ({
    name,
    subnet: network.subnet,
    ...range(network.subnet),
  }));
  for (const [i, a] of ranges.entries()) {
    const prefix = Number(a.subnet.split("/")[1]);
    if (prefix > 29) {
      issues.push({
        path: ["networks", a.name, "subnet"],
        message: `${a.subnet} is too small: the company LAN alone needs a /29`,
      });
    }
    for (const b of ranges.slice(0, i)) {
      if (a.first <= b.last && b.first <= a.last) {
        issues.push({
          path: ["networks", a.name, "subnet"],
          message: `${a.subnet} overlaps ${b.subnet} of network ${b.name}`,
        });
      }
    }
  }
  return issues;
}

function addressIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const first = Object.keys(lab.networks)[0] ?? "";
  const members = new Map<string, number>();
  const taken = new Map<string, string>();
  const fixed = (network: string, address: string, path: Issue["path"], owner: string) => {
    const subnet = lab.networks[network]?.subnet;
    if (subnet === undefined) return;
    const { first: low, last: high } = range(subnet);
    const value = toNumber(address);
    if (value < low || value > high)
      issues.push({ path, message: `${address} is outside ${subnet} of network ${network}` });
    else if (value === low || value === high)
      issues.push({ path, message: `${address} is the network's own or broadcast address` });
    else if (value === low + 1) issues.push({ path, message: `${address} is the gateway's` });
    const other = taken.get(address);
    if (other !== undefined) issues.push({ path, message: `${address} is already ${other}'s` });
    taken.set(address, owner);
  };
  if (lab.station.address !== undefined) {
    fixed(lab.station.network ?? first, lab.station.address, ["station", "address"], "the station");
  }
  for (const { key, name, domain } of domainNames(lab)) {
    const nics = domain.nics ?? [{ network: first }];
    nics.forEach((nic, i) => {
      members.set(nic.network, (members.get(nic.network) ?? 0) + 1);
      if (nic.address === undefined || nic.address === "dhcp") return;
      const path = ["domains", key, "nics", i, "address"];
      if (domain.count !== undefined)
        issues.push({ path, message: "one address can't serve several domains: leave it out with count" });
      else fixed(nic.network, nic.address, path, name);
    });
  }
  for (const [network, { subnet }] of Object.entries(lab.networks)) {
    const { first: low, last: high } = range(subnet);
    const room = high - low - 1 - RESERVED_ADDRESSES;
    const needed = members.get(network) ?? 0;
    if (needed > room && room > 0) {
      issues.push({
        path: ["networks", network, "subnet"],
        message: `${subnet} has room for ${room} domains, and ${needed} interfaces want an address`,
      });
    }
  }
  return issues;
}

function nameIssues(lab: Lab): Issue[] {
  const issues: Issue[] = [];
  const seen = new Map<string, string>();
  const siteOwners = new Map<string, string>();
  for (const { name, key, domain } of domainNames(lab)) {
    const other = seen.get(name);
    if (other !== undefined)
      issues.push({ path: ["domains", key], message: `makes a domain ${name}, and so does ${other}` });
    seen.set(name, key);
    if (RESERVED_NAMES.has(name))
      issues.push({ path: ["domains", key], message: `${name} is the name of a machine that every lab has` });
    domain.sites.forEach((site, i) => {
      const owner = siteOwners.get(site.name);
      if (owner !== undefined && domain.count === undefined) {
        issues.push({
          path: ["domains", key, "sites", i, "name"],
          message: `${site.name} is already a site of ${owner}`,
        });
      }
      siteOwners.set(site.name, name);
    });
  }
  return issues;
}

const RESERVED_NAMES = new Set(["host", "lan", "station", "outside"]);

function cpuIssues(lab: Lab): Issue[] {
  return Object.entries(lab.domains).flatMap(([name, { cpus, cpuset }]) => {
    if (cpus === undefined || cpuset === undefined) return [];
    const size = parseCpuList(cpuset).length;
    return cpus <= size
      ? []
      : [{ path: ["domains", name, "cpus"], message: `${cpus} is more than the ${size} of its cpuset ${cpuset}` }];
  });
}

/** First and last address of a subnet as numbers. */
export function range(subnet: string): { first: number; last: number; prefix: number } {
  const [address, bits] = subnet.split("/");
  const prefix = Number(bits);
  const size = 2 ** (32 - prefix);
  const value = toNumber(address ?? "");
  const first = value - (value % size);
  return { first, last: first + size - 1, prefix };
}

/** An IPv4 address as a number, and back. */
export function toNumber(address: string): number {
  return ipaddr.IPv4.parse(address).octets.reduce((sum, octet) => sum * 256 + octet, 0);
}
export function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

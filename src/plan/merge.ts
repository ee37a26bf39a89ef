import type { Domain, Lab } from "../model/lab.ts";
import { domainNames } from "../model/domain-names.ts";
import { declaredServices } from "../model/lab-services.ts";

/** A domain to be planned, with the lab's domains that it stands for. */
export interface Context {
  name: string;
  members: string[];
  images: string[];
  domain: Domain;
}

/** One context for each domain of the lab. */
export function separateContexts(lab: Lab): Context[] {
  return domainNames(lab).map(({ name, domain }) => ({
    name,
    members: [name],
    images: [domain.image],
    domain: withDefaultSite(name, domain),
  }));
}

/**
 * All domains as one system, for a platform without walls: the union of their images, sites and services, and the sum of
 * their budgets, so that the platforms that are compared have the same means.
 */
export function mergedContext(lab: Lab): Context[] {
  const parts = domainNames(lab);
  const domains = parts.map(({ domain }) => domain);
  const first = domains[0];
  if (first === undefined) return [];
  const sum = (read: (domain: Domain) => number | undefined): number | undefined => {
    const values = domains.map(read);
    return values.some((value) => value === undefined)
      ? undefined
      : values.reduce<number>((total, value) => total + (value ?? 0), 0);
  };
  const cpusets = new Set(domains.map((domain) => domain.cpuset));
  const merged: Domain = {
    image: first.image,
    cpus: sum((domain) => domain.cpus),
    cpuPeriod: Math.min(...domains.map((domain) => domain.cpuPeriod)),
    shares: Math.min(262144, sum((domain) => domain.shares) ?? first.shares),
    cpuset: cpusets.has(undefined) ? undefined : [...cpusets].join(","),
    memory: sum((domain) => domain.memory) ?? first.memory,
    pids: sum((domain) => domain.pids) ?? first.pids,
    disk: sum((domain) => domain.disk),
    io: {
      readRate: sum((domain) => domain.io.readRate),
      writeRate: sum((domain) => domain.io.writeRate),
      readIops: sum((domain) => domain.io.readIops),
      writeIops: sum((domain) => domain.io.writeIops),
    },
    nics: first.nics,
    services: domains.every((domain) => domain.services === undefined)
      ? undefined
      : [...new Set(domains.flatMap((domain) => domain.services ?? []))],
    sites: domains.flatMap((domain) => domain.sites),
    listen: distinct(domains.flatMap((domain) => declaredServices(lab, domain))),
    routes: first.routes,
    router: first.router,
  };
  return [
    {
      name: "shared",
      members: parts.map(({ name }) => name),
      images: [...new Set(domains.map((domain) => domain.image))],
      domain: merged,
    },
  ];
}

function distinct<T>(values: T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function withDefaultSite(name: string, domain: Domain): Domain {
  if (domain.count === undefined) return domain;
  return {
    ...domain,
    sites: domain.sites.map((site, i) => ({ ...site, name: i === 0 ? name : `${site.name}-${name}` })),
  };
}

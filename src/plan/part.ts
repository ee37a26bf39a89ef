import type { Lab } from "../model/lab.ts";
import type { LabPart } from "../model/plan.ts";
import type { PlannedDomain } from "./domains.ts";
import type { NetworkInputs } from "./network.ts";

/**
 * What the network of a part of a lab is made from. Addresses and MACs of domains are those of the whole lab. At the main host
 * only the domains that are elsewhere are missing. At another one there are the networks of its domains, and nobody else on
 * them: an address, or a bridge's MAC, that the main host has must not be there twice on one wire.
 */
export function partOf(
  lab: Lab,
  inputs: NetworkInputs,
  part: LabPart | undefined,
): { lab: Lab; inputs: NetworkInputs } {
  if (part === undefined) return { lab, inputs };
  const domains = inputs.domains.filter(({ plan }) => part.domains.includes(plan.name));
  if (part.isMain) return { lab, inputs: { ...inputs, domains } };
  const used = networksOf(domains);
  const { segments, macOf } = inputs;
  const lans = segments.lans.filter(({ network }) => network !== null && used.has(network));
  return {
    lab: { ...lab, networks: Object.fromEntries(Object.entries(lab.networks).filter(([name]) => used.has(name))) },
    inputs: {
      ...inputs,
      domains,
      forwards: [],
      segments: { ...segments, lans: lans.map((lan) => ({ ...lan, host: false })), hostOn: () => null },
      macOf: (owner) => macOf(`elsewhere/${owner}`),
    },
  };
}

/** Names of the networks that domains are on. */
export function networksOf(domains: readonly PlannedDomain[]): Set<string> {
  return new Set(domains.flatMap(({ plan }) => plan.vifs.map(({ network }) => network)));
}

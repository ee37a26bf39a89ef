import { ExitCode, LabError } from "../model/error.ts";
import type { Image, Recipe } from "../model/image.ts";
import { isDefaultRoute, nicsOf, lanOf } from "../model/lab-networks.ts";
import type { Lab, Site } from "../model/lab.ts";
import type { Network, Nic } from "../model/network.ts";
import type { DomainPlan, Placement, VifPlan } from "../model/plan.ts";
import { machineOf } from "./guests.ts";
import { limitsOf } from "./limits.ts";
import type { Context } from "./merge.ts";
import { namespaceName } from "./namespace-name.ts";
import type { Segments } from "./segments.ts";

/** What the domains of a plan depend on besides the lab. */
export interface DomainInputs {
  cpus: number[];
  /** Domains have files of their own. */
  ownFiles: boolean;
  /** Domains are machines. */
  ownKernels: boolean;
  recipeOf(image: Image): Recipe;
  uniteRecipes(recipes: Recipe[]): Recipe;
  siteFiles(sites: Site[]): Record<string, string>;
}

/** A domain, and what of the lab file its network is made from. */
export interface PlannedDomain {
  plan: DomainPlan;
  context: Context;
  /** As many as it has vifs, in their order. */
  nics: Nic[];
}

/** Every domain with its id, limits, interfaces and addresses. */
export function planDomains(
  lab: Lab,
  contexts: readonly Context[],
  segments: Segments,
  placement: Placement,
  macOf: (owner: string) => string,
  inputs: DomainInputs,
): PlannedDomain[] {
  return contexts.map((context, i) => {
    const { domain, name } = context;
    const id = i + 1;
    const nics = nicsOf(lab, domain);
    const vifs = planVifs(lab, context, id, nics, segments, macOf);
    const recipe = inputs.uniteRecipes(context.images.map((image) => inputs.recipeOf(imageOf(lab, image))));
    const limits = limitsOf(context, placement, inputs.cpus);
    const plan: DomainPlan = {
      id,
      name,
      members: context.members,
      hostname: name,
      namespace: namespaceName(lab.name, name),
      image: context.images.join("+"),
      recipe,
      limits,
      vifs,
      services: domain.services ?? Object.keys(recipe.services),
      workers: domain.sites.reduce((sum, site) => sum + site.workers, 0),
      files: {
        ...(domain.sites.length === 0 ? {} : inputs.siteFiles(domain.sites)),
        ...(inputs.ownFiles ? resolverFile(lab, vifs) : {}),
      },
      ...(inputs.ownKernels ? { machine: machineOf(limits, lab.accel) } : {}),
    };
    return { plan, context, nics };
  });
}

function planVifs(
  lab: Lab,
  { name, domain }: Context,
  id: number,
  nics: Nic[],
  segments: Segments,
  macOf: (owner: string) => string,
): VifPlan[] {
  const ownWay = domain.routes.some(({ to }) => isDefaultRoute(to));
  const vifs = nics.map((nic, index): VifPlan => {
    const network = networkOf(lab, nic.network);
    const pool = segments.ofNetwork(nic.network);
    const address = nic.address === undefined || nic.address === "dhcp" ? pool.forDomain(id) : nic.address;
    const { gateway, gateway6 } = gatewayOf(nic.network, network, segments);
    // Nobody serves DHCPv6.
    const address6 = nic.address === "dhcp" ? null : (nic.address6 ?? pool.sixth(address));
    return {
      vif: `vif${id}.${index}`,
      guest: `eth${index}`,
      mac: nic.mac ?? macOf(`${name}/${index}`),
      network: nic.network,
      address,
      prefix: pool.prefix,
      gateway,
      address6,
      prefix6: pool.prefix6,
      gateway6,
      onLinkGateway: network.mode === "routed",
      defaultRoute: false,
      configuration: nic.address === "dhcp" ? "dhcp" : "static",
    };
  });
  const way = ownWay ? undefined : vifs.find(({ gateway }) => gateway !== null);
  return vifs.map((vif) => (vif === way ? { ...vif, defaultRoute: true } : vif));
}

/** Who takes what a network's guests send elsewhere. */
function gatewayOf(name: string, network: Network, segments: Segments) {
  const none = { gateway: null, gateway6: null };
  switch (network.mode) {
    case "bridge":
    case "nat": {
      const { gateway, gateway6 } = segments.ofNetwork(name);
      return { gateway, gateway6 };
    }
    case "routed": {
      const lan = lanOf(segments.lans, name, network);
      const host = lan === null ? null : segments.hostOn(lan);
      return host === null ? none : { gateway: host.address, gateway6: host.address6 };
    }
    case "isolated":
    case "vlan":
      return none;
  }
}

/** Guests of NAT ask the host for names; a DHCP client is told so by its server. */
function resolverFile(lab: Lab, vifs: VifPlan[]): Record<string, string> {
  const vif = vifs.find(({ network }) => lab.networks[network]?.mode === "nat");
  if (vif === undefined || vif.gateway === null) return {};
  return { "/etc/resolv.conf": `nameserver ${vif.gateway}\n` };
}

export function networkOf(lab: Lab, name: string): Network {
  const network = lab.networks[name];
  if (network === undefined)
    throw new LabError(`${name} is not among the networks of lab ${lab.name}`, { exit: ExitCode.usage });
  return network;
}

function imageOf(lab: Lab, name: string): Image {
  const image = lab.images[name];
  if (image === undefined)
    throw new LabError(`${name} is not among the images of lab ${lab.name}`, { exit: ExitCode.usage });
  return image;
}

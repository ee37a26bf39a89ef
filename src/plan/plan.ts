import { ExitCode, LabError } from "../model/error.ts";
import type { Image, Recipe } from "../model/image.ts";
import type { Domain, Lab, PlatformName, Site } from "../model/lab.ts";
import { parseCpuList } from "../model/cpu-list.ts";
import type { DomainLimits, DomainPlan, LabPlan, NamespaceName, Placement, VifPlan } from "../model/plan.ts";
import { bridgeNetwork } from "../networks/bridge.ts";
import { mergeNetworkStates } from "../networks/merge.ts";
import { addressPool } from "./addresses.ts";
import { macAllocator } from "./mac.ts";
import { mergedContext, separateContexts, type Context } from "./merge.ts";
import { placeRoles } from "./placement.ts";

/** What a plan depends on besides the lab file. */
export interface PlanInputs {
  /** `merges`: all domains live in one context. */
  platform: { name: PlatformName; merges: boolean };
  /** The machine's usable CPUs, ascending. */
  cpus: number[];
  recipeOf(image: Image): Recipe;
  uniteRecipes(recipes: Recipe[]): Recipe;
  /** Configuration of the web server for these sites; path → text. */
  siteFiles(sites: Site[]): Record<string, string>;
}

/** Name of a namespace of a lab; a dot can stand in no part, so no two labs' names look alike. */
export function namespaceName(lab: string, part: string): NamespaceName {
  return `cloison.${lab}.${part}`;
}

/**
 * Decides everything about a lab before anything is touched: ids, names, MACs, addresses, limits, the network.
 * The same lab and inputs give the same plan.
 * @param lab one without issues (`labIssues`)
 * @throws LabError when the lab asks for more than the machine has
 */
export function planLab(lab: Lab, inputs: PlanInputs): LabPlan {
  const placement = placeRoles(inputs.cpus, lab.host.cpus ?? null);
  const contexts = inputs.platform.merges ? mergedContext(lab) : separateContexts(lab);
  const networkNames = Object.keys(lab.networks);
  const firstNetwork = networkNames[0] ?? "";
  const nicsOf = (domain: Domain) => domain.nics ?? [{ network: firstNetwork }];

  const macOf = macAllocator(lab.name);
  const fixed = contexts
    .flatMap(({ domain }) => nicsOf(domain))
    .flatMap(({ address }) => (address === undefined || address === "dhcp" ? [] : [address]));
  if (lab.station.address !== undefined) fixed.push(lab.station.address);
  const pools = new Map(
    Object.entries(lab.networks).map(([name, network]) => [name, addressPool(network.subnet, fixed)]),
  );
  const poolOf = (network: string) => {
    const pool = pools.get(network);
    if (pool === undefined)
      throw new LabError(`${network} is not among the networks of lab ${lab.name}`, { exit: ExitCode.usage });
    return pool;
  };

  const domains = contexts.map((context, i): DomainPlan => {
    const id = i + 1;
    const vifs = nicsOf(context.domain).map((nic, index): VifPlan => {
      const pool = poolOf(nic.network);
      return {
        vif: `vif${id}.${index}`,
        guest: `eth${index}`,
        mac: macOf(`${context.name}/${index}`),
        network: nic.network,
        address: nic.address === undefined || nic.address === "dhcp" ? pool.forDomain(id) : nic.address,
        prefix: pool.prefix,
        gateway: pool.gateway,
        configuration: nic.address === "dhcp" ? "dhcp" : "static",
      };
    });
    const recipe = inputs.uniteRecipes(context.images.map((name) => imageRecipe(lab, name, inputs)));
    const { domain } = context;
    return {
      id,
      name: context.name,
      members: context.members,
      hostname: context.name,
      namespace: namespaceName(lab.name, context.name),
      image: context.images.join("+"),
      recipe,
      limits: limitsOf(context, placement, inputs.cpus),
      vifs,
      services: domain.services ?? Object.keys(recipe.services),
      workers: domain.sites.reduce((sum, site) => sum + site.workers, 0),
      files: domain.sites.length === 0 ? {} : inputs.siteFiles(domain.sites),
    };
  });

  const stationNetwork = lab.station.network ?? firstNetwork;
  const stationPool = poolOf(stationNetwork);
  const machine = (name: "station" | "outside", address: string) => ({
    name,
    namespace: namespaceName(lab.name, name),
    address,
    prefix: stationPool.prefix,
  });
  const machines = {
    station: machine("station", lab.station.address ?? stationPool.forMachine()),
    outside: machine("outside", stationPool.forMachine()),
  };

  const hostNamespace = namespaceName(lab.name, "host");
  const lanNamespace = namespaceName(lab.name, "lan");
  const network = mergeNetworkStates(
    networkNames.map((name, index) => {
      const pool = poolOf(name);
      return bridgeNetwork({
        index,
        prefix: pool.prefix,
        lanNamespace,
        hostNamespace,
        gateway: { address: pool.gateway, mac: macOf(`gateway/${index}`) },
        host: { address: pool.forMachine(), mac: macOf(`host/${index}`) },
        machines:
          name === stationNetwork
            ? Object.values(machines).map((lan) => ({ ...lan, mac: macOf(`${lan.name}/${index}`) }))
            : [],
        vifs: domains.flatMap((domain) =>
          domain.vifs.filter((vif) => vif.network === name).map((vif) => ({ ...vif, namespace: domain.namespace })),
        ),
        // Frames reach a guest from the host's side, where they are already on the platform's CPUs.
        rpsCpus: { host: placement.platform, guest: [], lan: placement.station },
      });
    }),
  );

  return {
    lab: lab.name,
    platform: inputs.platform.name,
    placement,
    domains,
    targets: targetsOf(lab, contexts, domains),
    hostNamespace,
    lanNamespace,
    machines,
    dhcp: networkNames.map((name, index) => ({
      interface: `lan${index}`,
      server: poolOf(name).gateway,
      prefix: poolOf(name).prefix,
      leases: domains.flatMap((domain) =>
        domain.vifs
          .filter((vif) => vif.network === name)
          .map(({ mac, address }) => ({ mac, address, hostname: domain.hostname })),
      ),
    })),
    network,
  };
}

function imageRecipe(lab: Lab, name: string, inputs: PlanInputs): Recipe {
  const image = lab.images[name];
  if (image === undefined)
    throw new LabError(`${name} is not among the images of lab ${lab.name}`, { exit: ExitCode.usage });
  return inputs.recipeOf(image);
}

function limitsOf({ name, domain }: Context, placement: Placement, cpus: number[]): DomainLimits {
  const cpuset = domain.cpuset === undefined ? placement.platform : parseCpuList(domain.cpuset);
  const absent = cpuset.filter((cpu) => !cpus.includes(cpu));
  if (absent.length > 0) {
    throw new LabError(`domains.${name}.cpuset: this machine has no CPU ${absent.join(", ")}`, {
      hint: `it has ${cpus.join(", ")}; leave cpuset out to use the platform's`,
      exit: ExitCode.usage,
    });
  }
  if (domain.cpus !== undefined && domain.cpus > cpuset.length + 1e-9) {
    throw new LabError(
      `domains.${name}.cpus: ${domain.cpus} is more than the ${cpuset.length} CPU(s) that it may run on`,
      {
        hint: "lower cpus, or give it more by cpuset or host.cpus",
        exit: ExitCode.usage,
      },
    );
  }
  return {
    cpus: domain.cpus ?? null,
    cpuPeriodMs: domain.cpuPeriod,
    shares: domain.shares,
    cpuset,
    memoryBytes: domain.memory,
    pids: domain.pids,
    diskBytes: domain.disk ?? null,
    io: {
      readBytesPerSecond: domain.io.readRate,
      writeBytesPerSecond: domain.io.writeRate,
      readIops: domain.io.readIops,
      writeIops: domain.io.writeIops,
    },
  };
}

function targetsOf(lab: Lab, contexts: Context[], domains: DomainPlan[]): LabPlan["targets"] {
  const sites = new Map(separateContexts(lab).map(({ name, domain }) => [name, domain.sites[0]?.name]));
  return Object.fromEntries(
    contexts.flatMap(({ members }, i) =>
      members.map((member) => [
        member,
        {
          context: domains[i]?.name ?? "",
          address: domains[i]?.vifs[0]?.address ?? "",
          host: sites.get(member) ?? member,
        },
      ]),
    ),
  );
}

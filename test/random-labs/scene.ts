import type { Link, NamespaceState, NetworkState } from "../../src/model/network-state.ts";
import type { LabPlan } from "../../src/model/plan.ts";
import type { Deed } from "./deed.ts";
import type { RandomFault } from "./random-lab.ts";

/** A lab to which something is to be done: its plan, and its network as it is by then. */
export interface Scene {
  plan: LabPlan;
  state: NetworkState;
  fault: RandomFault;
}

/** null: the lab has no place for it. */
export type Fault = (scene: Scene) => Deed[] | null;

/** Somebody's interface, with an IPv4 address of it. */
export interface Site {
  namespace: string;
  link: string;
  address: string;
  mac: string;
  network: string;
  /** Its network is routed: it stands alone on its link. */
  alone: boolean;
}

export function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % Math.max(1, list.length)];
}

export function partOf({ state }: Pick<Scene, "state">, namespace: string): NamespaceState {
  const part = state[namespace];
  if (part === undefined) throw new Error(`the lab has no ${namespace}`);
  return part;
}

export function linkOf(scene: Scene, namespace: string, name: string): Link {
  const link = partOf(scene, namespace).links.find((one) => one.name === name);
  if (link === undefined) throw new Error(`${namespace} has no ${name}`);
  return link;
}

/** Host ends of the domains' interfaces, with their guests. */
export function vifsOf({ plan }: Scene) {
  return plan.domains.flatMap(({ namespace, vifs }) => vifs.map((vif) => ({ ...vif, namespace })));
}

export function sitesOf({ plan }: Scene): Site[] {
  const routed = new Set(plan.networks.flatMap(({ name, mode }) => (mode === "routed" ? [name] : [])));
  return plan.endpoints.flatMap(({ namespace, kind, interfaces }) =>
    interfaces.flatMap(({ link, network, addresses, mac }) =>
      addresses
        .filter((address) => !address.includes(":"))
        .map((address) => ({
          namespace,
          link,
          address,
          mac,
          network,
          alone: kind === "domain" && routed.has(network),
        })),
    ),
  );
}

/** Two that see each other's frames. */
export interface Pair {
  one: Site;
  other: Site;
}

export function pairsOf(scene: Scene): Pair[] {
  const sites = sitesOf(scene).filter(({ alone }) => !alone);
  return sites.flatMap((one) =>
    sites
      .filter((other) => other.network === one.network && other.namespace !== one.namespace)
      .map((other) => ({ one, other })),
  );
}

/** Machines with several interfaces that have addresses, each with one of its neighbours and an interface that leads elsewhere. */
export function crossroadsOf(scene: Scene): (Pair & { elsewhere: Site })[] {
  const sites = sitesOf(scene);
  return pairsOf(scene).flatMap(({ one, other }) =>
    sites
      .filter(({ namespace, link }) => namespace === one.namespace && link !== one.link)
      .map((elsewhere) => ({ one, other, elsewhere })),
  );
}

/** What a guest sends is checked on its way into the host. */
export function isGuarded(scene: Scene, { namespace, link }: Site): boolean {
  const vif = vifsOf(scene).find((one) => one.namespace === namespace && one.guest === link)?.vif;
  if (vif === undefined) return false;
  const { tables, switches = [] } = partOf(scene, scene.plan.hostNamespace);
  const port = switches.flatMap(({ ports }) => ports).find((one) => one.link === vif);
  if (port !== undefined) return port.guard !== null;
  return Object.entries(tables).some(
    ([name, { sets }]) => name.endsWith(" cloison-guard") && JSON.stringify(sets).includes(`"${vif}"`),
  );
}

/** Those for which it holds first, so that a small number picks one of them; all, where it holds for none. */
export function preferring<T>(list: readonly T[], isPreferred: (entry: T) => boolean): T[] {
  const preferred = list.filter(isPreferred);
  return preferred.length > 0 ? preferred : [...list];
}

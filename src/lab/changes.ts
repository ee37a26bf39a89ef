import { withoutGuests } from "../model/network-state.ts";
import type { DomainPlan, LabPlan } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";
import type { DomainState } from "../platforms/platform.ts";
import type { RootFileSystems, StoredLab } from "./context.ts";

/** What separates a lab as it is from a lab as it is wanted. */
export interface LabChanges {
  /** Domains that are to be destroyed: gone from the file, changed, or left by a crash. */
  destroy: string[];
  /** Domains that are to be made. */
  create: DomainPlan[];
  /** Domains that stay as they are. */
  keep: DomainPlan[];
  /** Namespaces that the lab no longer has. */
  removeNamespaces: string[];
}

/**
 * Compares a plan with what is there. A domain stays only if it runs and nothing of its plan or image has changed, but for
 * its static interfaces.
 * @param stored the lab as it was last brought up; null: it never was
 * @param states what the platform says is there
 * @param namespaces of the lab, as the kernel has them
 */
export function labChanges(
  plan: LabPlan,
  roots: RootFileSystems,
  stored: StoredLab | null,
  states: DomainState[],
  namespaces: string[],
): LabChanges {
  // Whoever paused one will want it as it is.
  const running = new Set(
    states.filter(({ state }) => state === "running" || state === "paused").map(({ name }) => name),
  );
  const before = new Map(stored?.plan.domains.map((domain) => [domain.name, domain]));
  const unsettled = stored?.unsettled ?? [];
  const there = new Set(namespaces);
  const same = (domain: DomainPlan) =>
    running.has(domain.name) &&
    !unsettled.includes(domain.name) &&
    hasNetwork(plan, domain, stored, there) &&
    sameData(inside(before.get(domain.name)), inside(domain)) &&
    stored?.roots[domain.image] === roots[domain.image];
  const keep = plan.domains.filter(same);
  const kept = new Set(keep.map(({ name }) => name));
  const present = new Set([...states.map(({ name }) => name), ...before.keys(), ...unsettled]);
  return {
    destroy: [...present].filter((name) => !kept.has(name)),
    create: plan.domains.filter(({ name }) => !kept.has(name)),
    keep,
    removeNamespaces: namespaces.filter((name) => !(name in withoutGuests(plan.network))),
  };
}

/** The network inside a guest is what it was told when it started; any other can be changed from outside, if it is there. */
function hasNetwork(
  { network }: LabPlan,
  { namespace }: DomainPlan,
  stored: StoredLab | null,
  there: ReadonlySet<string>,
): boolean {
  const state = network[namespace];
  if (state?.guest !== true) return there.has(namespace);
  return sameData(stored?.plan.network[namespace], state);
}

/**
 * What of a domain's plan its programs were started by. Interfaces that get their addresses from outside are the network
 * state's: they change under a domain that goes on.
 */
function inside(domain: DomainPlan | undefined): DomainPlan | undefined {
  if (domain === undefined) return undefined;
  return { ...domain, vifs: domain.vifs.filter(({ configuration }) => configuration === "dhcp") };
}

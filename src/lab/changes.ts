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
  /** Domains that go on. */
  keep: DomainPlan[];
  /** Of those: the ones that get other limits. */
  limit: DomainPlan[];
  /** Namespaces that the lab no longer has. */
  removeNamespaces: string[];
}

/**
 * Compares a plan with what is there. A domain goes on only if it runs and nothing of its plan or image has changed, but for
 * its static interfaces, and limits that can be changed under it.
 * @param fits whether a domain can get other limits while it runs
 * @param stored the lab as it was last brought up; null: it never was
 * @param states what the platform says is there
 * @param namespaces of the lab, as the kernel has them
 */
export async function labChanges(
  plan: LabPlan,
  roots: RootFileSystems,
  stored: StoredLab | null,
  states: DomainState[],
  namespaces: string[],
  fits: (before: DomainPlan, domain: DomainPlan) => Promise<boolean>,
): Promise<LabChanges> {
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
  const keep: DomainPlan[] = [];
  const limit: DomainPlan[] = [];
  for (const domain of plan.domains.filter(same)) {
    const was = before.get(domain.name);
    if (was === undefined) continue;
    const isAsBefore = sameData(was.limits, domain.limits);
    if (!isAsBefore && !(await fits(was, domain))) continue;
    keep.push(domain);
    // Which limits one has of which a change was cut off, is not known.
    if (!isAsBefore || stored?.unsettled !== null) limit.push(domain);
  }
  const kept = new Set(keep.map(({ name }) => name));
  const present = new Set([...states.map(({ name }) => name), ...before.keys(), ...unsettled]);
  return {
    destroy: [...present].filter((name) => !kept.has(name)),
    create: plan.domains.filter(({ name }) => !kept.has(name)),
    keep,
    limit,
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
 * state's: they change under a domain that goes on. Limits are compared for themselves.
 */
function inside(domain: DomainPlan | undefined): Omit<DomainPlan, "limits"> | undefined {
  if (domain === undefined) return undefined;
  const { limits: _, ...rest } = domain;
  return { ...rest, vifs: domain.vifs.filter(({ configuration }) => configuration === "dhcp") };
}

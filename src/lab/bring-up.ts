import PQueue from "p-queue";
import { LabError } from "../model/error.ts";
import { withoutGuests } from "../model/network-state.ts";
import type { DhcpPlan, DomainPlan, LabPlan } from "../model/plan.ts";
import { sameData } from "../model/same-data.ts";
import { applyNetwork } from "../netstate/apply.ts";
import type { Platform, Workspace } from "../platforms/platform.ts";
import { announce } from "./announce.ts";
import { labChanges, type LabChanges } from "./changes.ts";
import {
  beginChange,
  readStoredLab,
  stageLab,
  workspaceOf,
  type LabContext,
  type LabSource,
  type RootFileSystems,
  type StoredLab,
} from "./context.ts";
import { leasesTaken } from "./leases.ts";
import { labDirectory, namespacePrefix } from "./paths.ts";
import { dhcpServers, sameServices, startDhcpServers, startOutsideWeb } from "./services.ts";
import { labSwitches } from "./switches.ts";
import { tearDown } from "./teardown.ts";
import { joinLabUplinks, leaveLabUplink, leaveUnwantedUplinks } from "./uplinks.ts";

export type BringUpStep =
  | { step: "network"; changes: number }
  | { step: "domain"; name: string; done: number; of: number }
  | { step: "uplink"; name: string }
  /** Domains that go on, and those of them that get other limits. */
  | { step: "kept"; names: string[]; limited: string[] };

interface BringUpOptions {
  /** What the lab was last brought up to is taken for what is there; only what the plan changes is looked at. */
  changedOnly?: boolean;
  /** Domains that are made at a time. */
  parallel: number;
  /** Only these are made anew; the others stay as they are, running or not. */
  only?: readonly string[];
  /** Real interfaces that join are put back after so long unless the user confirms; absent: they stay. */
  confirmWithinMs?: number;
  /** What the plan was made of, to be kept with it. */
  source?: LabSource;
  /** Makes a domain instead of the platform's `prepare`: with what a backup has of it. */
  prepare?: Platform["prepare"];
  /** Starts a domain instead of the platform's `start`: so that it waits for what is sent to it. */
  start?: Platform["start"];
  onStep?: (step: BringUpStep) => void;
  signal?: AbortSignal;
}

/**
 * Brings a lab to what its plan says, from whatever there is; what is right already is not touched. The caller holds the
 * lab's lock. When it fails, a lab that was not there before is removed again, and of a lab that
 * was, what this call was making.
 */
export async function bringUp(
  context: LabContext,
  plan: LabPlan,
  roots: RootFileSystems | Promise<RootFileSystems>,
  options: BringUpOptions,
): Promise<void> {
  const { host } = context;
  const platform = context.platforms[plan.platform];
  let stored = await readStoredLab(context, plan.lab);
  if (stored === null || stored.plan.platform !== plan.platform) {
    // What a crash left, or a lab of another platform, is of no use here.
    await tearDown(context, plan.lab);
    stored = null;
  }
  const workspace = workspaceOf(context, plan.lab);
  const made: Made = { isNew: stored === null, uplinks: [], namespaces: [], destroyed: [], domains: [] };
  /** Programs outside of the domains that come up beside the rest. */
  const starting: Promise<void>[] = [];
  try {
    await host.files.makeDirectory(labDirectory(context.paths, plan.lab));
    const namespaces = (await host.namespaces.list()).filter((name) => name.startsWith(namespacePrefix(plan.lab)));
    const states = stored === null ? [] : await platform.list(host, workspace, plan);
    // Of a new lab nothing is compared, so that its images may take longer than its network.
    const fits = async (before: DomainPlan, domain: DomainPlan) =>
      (await platform.limiting?.fits(host, workspace, before, domain)) ?? false;
    const all = await labChanges(plan, stored === null ? {} : await roots, stored, states, namespaces, fits);
    const changes = restricted(all, options.only);
    const open = stored === null ? [] : leftOpen(all, changes, stored, plan);
    const namesOf = (domains: readonly DomainPlan[]) => domains.map(({ name }) => name);
    options.onStep?.({ step: "kept", names: namesOf(changes.keep), limited: namesOf(changes.limit) });

    if (changes.limit.length > 0) {
      await beginChange(context, plan.lab, stored?.unsettled ?? []);
      // Before anything is destroyed: one that cannot get them ends the change.
      const built = workspaceOf(context, plan.lab, await roots);
      await eachOf(changes.limit, options.parallel, async (domain) => platform.limiting?.set(host, built, domain));
    }
    const unsettled = [...new Set([...changes.destroy, ...namesOf(changes.create), ...open])];
    if (stored !== null) await beginChange(context, plan.lab, unsettled);
    made.destroyed = changes.destroy.filter((name) => changes.create.some((domain) => domain.name === name));
    await eachOf(changes.destroy, options.parallel, (name) => platform.destroy(host, workspace, plan.lab, name));
    if (changes.removeNamespaces.length > 0) await host.namespaces.remove(changes.removeNamespaces);

    await leaveUnwantedUplinks(context, plan);

    options.signal?.throwIfAborted();
    const missing = Object.keys(withoutGuests(plan.network)).filter((name) => !namespaces.includes(name));
    await workspace.record(missing.map((name) => ({ kind: "namespace", name })));
    made.namespaces = missing;
    if (missing.length > 0) await host.namespaces.create(missing);
    options.signal?.throwIfAborted();
    const known = options.changedOnly === true ? settledPlan(stored, missing) : null;
    const mayHaveStopped = known === null || !sameServices(known, plan);
    if (mayHaveStopped) starting.push((await startOutsideWeb(context, plan)).listening);
    const startDhcp = async (servers: DhcpPlan[]) => {
      if (mayHaveStopped) starting.push((await startDhcpServers(context, plan, servers)).listening);
    };
    const { onBridges, onOthers } = dhcpServers(plan);
    // An image may take minutes to build, and an uplink's time to be confirmed runs once it has joined.
    const make = async () => {
      const built = workspaceOf(context, plan.lab, await roots);
      await makeDomains(context, platform, built, plan, changes.create, made, options);
    };
    const vifsCome = platform.bringsVifs === true && changes.create.length > 0;
    if (vifsCome) await make();
    const applying = applyNetwork(host, plan.network, {
      // What a vif has come into is new no more, and nothing is known of the vif.
      fresh: vifsCome ? missing.filter((name) => name !== plan.hostNamespace) : missing,
      ...(known === null || vifsCome ? {} : { from: known.network }),
      switches: labSwitches(context.paths, plan),
      onBridges: () => startDhcp(onBridges),
    });
    // Written while the kernel works; a new lab's images may take longer than that.
    const withSource = options.source === undefined ? {} : { source: options.source };
    const stage = async () => stageLab(context, { plan, roots: await roots, ...withSource }, open);
    const staged = stored === null ? null : stage();
    staged?.catch(() => undefined);
    const applied = await applying;
    options.onStep?.({ step: "network", changes: applied.length });
    if (onOthers.length > 0) await startDhcp(onOthers);
    await roots;
    for await (const { lan, interface: name } of joinLabUplinks(context, plan, options.confirmWithinMs ?? null)) {
      made.uplinks.push(lan);
      options.onStep?.({ step: "uplink", name });
    }
    // All come to an end before a failure of any is acted on: nothing may be made while it is being undone.
    const domains = vifsCome ? [] : [make()];
    for (const one of await Promise.allSettled([...starting, ...domains]))
      if (one.status === "rejected") throw one.reason;
    await leasesTaken(context, plan, changes.create, options.signal);
    // A machine does so when it comes, or says something when it starts.
    if (platform.ownKernels !== true) await announce(host, plan, changes.create);
    const store = await (staged ?? stage());
    await store();
  } catch (error) {
    await Promise.allSettled(starting);
    await undoBringUp(context, platform, workspace, plan, made, options.parallel, error);
    throw made.isNew ? error : withoutWhatFailed(plan, made, error);
  }
}

function restricted(changes: LabChanges, only: readonly string[] | undefined): LabChanges {
  if (only === undefined) return changes;
  const { destroy, create, keep } = changes;
  return {
    ...changes,
    destroy: destroy.filter((name) => only.includes(name)),
    create: create.filter(({ name }) => only.includes(name)),
    keep: [...keep, ...create.filter(({ name }) => !only.includes(name))],
  };
}

/** Domains that are let be though they are not what the plan says; one that only does not run is. */
function leftOpen(all: LabChanges, { destroy, create }: LabChanges, stored: StoredLab, plan: LabPlan): string[] {
  const changed = new Set([...destroy, ...create.map(({ name }) => name)]);
  const planned = (of: LabPlan, wanted: string) => of.domains.find(({ name }) => name === wanted);
  return [...new Set([...all.destroy, ...all.create.map(({ name }) => name)])].filter(
    (name) =>
      !changed.has(name) &&
      (stored.unsettled?.includes(name) === true || !sameData(planned(stored.plan, name), planned(plan, name))),
  );
}

/** The plan that the machine is as, as far as is known; null: a change was cut off, or the machine has been started anew. */
function settledPlan(stored: StoredLab | null, missing: string[]): LabPlan | null {
  if (stored === null || stored.unsettled !== null) return null;
  return missing.some((name) => name in stored.plan.network) ? null : stored.plan;
}

/** What a call has made, or was about to. */
interface Made {
  /** There was no such lab before. */
  isNew: boolean;
  /** Positions of the networks that a real interface has joined. */
  uplinks: number[];
  namespaces: string[];
  /** Names of those that were to be made anew. */
  destroyed: string[];
  domains: DomainPlan[];
}

/** Does the work for each, some at a time. After a failure no more are begun; those under way are waited for. */
async function eachOf<T>(
  items: T[],
  parallel: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const queue = new PQueue({ concurrency: parallel });
  const failures: unknown[] = [];
  for (const item of items) {
    void queue.add(async () => {
      if (failures.length > 0 || signal?.aborted) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    });
  }
  await queue.onIdle();
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}

async function makeDomains(
  { host }: LabContext,
  platform: Platform,
  workspace: Workspace,
  plan: LabPlan,
  domains: DomainPlan[],
  made: Made,
  { parallel, signal, onStep, prepare = platform.prepare, start = platform.start }: BringUpOptions,
): Promise<void> {
  let done = 0;
  const make = async (domain: DomainPlan) => {
    made.domains.push(domain);
    await prepare(host, workspace, plan, domain);
    await start(host, workspace, plan, domain);
    onStep?.({ step: "domain", name: domain.name, done: ++done, of: domains.length });
  };
  await eachOf(domains, parallel, make, signal);
}

async function undoBringUp(
  context: LabContext,
  platform: Platform,
  workspace: Workspace,
  plan: LabPlan,
  made: Made,
  parallel: number,
  cause: unknown,
): Promise<void> {
  const { host } = context;
  try {
    if (made.isNew) return await tearDown(context, plan.lab);
    for (const lan of made.uplinks) await leaveLabUplink(context, plan.lab, lan);
    await eachOf(made.domains, parallel, ({ name }) => platform.destroy(host, workspace, plan.lab, name));
    if (made.namespaces.length > 0) await host.namespaces.remove(made.namespaces);
  } catch (error) {
    throw new LabError(`${describe(cause)}\nand what had been made could not be removed: ${describe(error)}`, {
      hint: `run cloison down ${plan.lab}`,
      cause: error,
    });
  }
}

/** A change that failed leaves the lab's other domains as they are, which whoever reads the error has to know. */
function withoutWhatFailed({ lab }: LabPlan, { destroyed, domains }: Made, cause: unknown): unknown {
  const gone = new Set([...destroyed, ...domains.map(({ name }) => name)]);
  if (!(cause instanceof LabError) || gone.size === 0) return cause;
  return new LabError(`${cause.message}\nlab ${lab} goes on without ${[...gone].join(", ")}`, {
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    exit: cause.exit,
    cause,
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { parseLab } from "../../files/lab-file.ts";
import { bringUp } from "../../lab/bring-up.ts";
import { readStoredLab, workspaceOf, type RootFileSystems, type StoredLab } from "../../lab/context.ts";
import { labNames } from "../../lab/inventory.ts";
import { withLabLock } from "../../lab/lab-lock.ts";
import { backupDirectory } from "../../lab/paths.ts";
import { tearDown } from "../../lab/teardown.ts";
import { checkLabUplinks } from "../../lab/uplinks.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { DomainPlan, LabPart, LabPlan } from "../../model/plan.ts";
import type { AppContext } from "../context.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { buildImages, planFor, rootsOf } from "../prepare.ts";
import { requirePlatform } from "../up.ts";
import type { Parcel, PartAnswers, PartQuestions } from "./parcel.ts";

/** Another command that is at its end. */
const LOCK_WAIT_MS = 5000;

/** Whether a domain can come to this machine. @throws LabError saying why not; nothing of a lab was changed */
export async function checkComing(app: AppContext, lab: string, parcel: Parcel): Promise<null> {
  requireRoot(app, "move");
  await requirePlatform(app, parcel.platform);
  const { moving, layers } = app.platforms[parcel.platform];
  const { plan, domain, roots } = await planComing(app, lab, parcel);
  await checkLabUplinks(app, plan);
  await requireRoom(app, parcel);
  if (moving === undefined) await requirePackages(app, layers?.packages ?? []);
  await moving?.requireFitting(app.host, workspaceOf(app, lab, roots), plan, domain, parcel.moved);
  return null;
}

/**
 * Makes a domain that is to come, and lets it wait. One that comes as a layer is made when that is there: its network is not
 * its own, and would answer for it before.
 */
export async function receiveComing(app: AppContext, lab: string, parcel: Parcel): Promise<PartAnswers["receive"]> {
  requireRoot(app, "move");
  const { moving } = app.platforms[parcel.platform];
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    if (moving === undefined) {
      await app.host.files.replaceText(comingFile(app, lab), JSON.stringify(parcel));
      return { layer: layerOf(app, lab) };
    }
    await makeComing(app, lab, parcel, {
      prepare: (host, workspace, of, domain) => moving.prepareToReceive(host, workspace, of, domain, parcel.moved),
      start: moving.receive,
    });
    return moving.sockets(workspaceOf(app, lab), parcel.domain);
  });
}

async function makeComing(
  app: AppContext,
  lab: string,
  parcel: Parcel,
  how: Pick<Parameters<typeof bringUp>[3], "prepare" | "start">,
): Promise<void> {
  const { plan, part, roots } = await planComing(app, lab, parcel);
  const source = { ...parcel.source, part: { ...part, of: parcel.from } };
  await bringUp(app, plan, roots, { parallel: 1, source, ...how });
}

/** What of a domain has come as a layer, and what is to be made of it. */
const comingFolder = (app: AppContext, lab: string) => backupDirectory(app.paths, lab);
const comingFile = (app: AppContext, lab: string) => `${comingFolder(app, lab)}/parcel.json`;
const layerOf = (app: AppContext, lab: string) => `${comingFolder(app, lab)}/layer.tar.zst`;

async function makeOfLayer(app: AppContext, lab: string, name: string): Promise<void> {
  const text = await app.host.files.readTextIfExists(comingFile(app, lab));
  // Written by replaceText: whole, or not there.
  const parcel = text === null ? null : (JSON.parse(text) as Parcel);
  if (parcel?.domain !== name) return;
  const { layers } = app.platforms[parcel.platform];
  if (layers === undefined) return;
  await makeComing(app, lab, parcel, {
    prepare: (host, workspace, of, domain) => layers.prepare(host, workspace, of, domain, layerOf(app, lab)),
  });
  await app.host.files.remove(comingFolder(app, lab));
}

/** Whether a domain that was received runs. */
export async function hasArrived(
  app: AppContext,
  lab: string,
  { domain: name, from }: PartQuestions["arrive"],
): Promise<PartAnswers["arrive"]> {
  requireRoot(app, "move");
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    await makeOfLayer(app, lab, name);
    const stored = await readStoredLab(app, lab);
    const domain = stored?.plan.domains.find((one) => one.name === name);
    if (stored === null || stored.source?.part?.of !== from || domain === undefined) return { runs: false };
    const { plan, roots } = stored;
    const workspace = workspaceOf(app, lab, roots);
    const { moving, list } = app.platforms[plan.platform];
    if (moving !== undefined) return { runs: await moving.arrive(app.host, workspace, plan, domain) };
    const states = await list(app.host, workspace, plan);
    return { runs: states.some((one) => one.name === name && one.state === "running") };
  });
}

/** Removes a domain that does not come, or has gone; with the last one, the lab. */
export async function removeComing(
  app: AppContext,
  lab: string,
  { domain, from }: PartQuestions["leave"],
): Promise<null> {
  return removeFrom(app, lab, from, (name) => name !== domain);
}

/** Removes all that is here of a lab of another machine. */
export async function removePart(app: AppContext, lab: string, { from }: PartQuestions["down"]): Promise<null> {
  return removeFrom(app, lab, from, () => false);
}

async function removeFrom(
  app: AppContext,
  lab: string,
  from: string,
  stays: (domain: string) => boolean,
): Promise<null> {
  requireRoot(app, "move");
  return withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
    await app.host.files.remove(comingFolder(app, lab));
    if (!(await labNames(app)).includes(lab)) return null;
    const stored = await readStoredLab(app, lab);
    // An incomplete one is what was being made when the connection was lost.
    if (stored !== null && stored.source?.part?.of !== from) return null;
    const domains = stored?.source?.part?.domains.filter(stays) ?? [];
    if (stored?.source?.part === undefined || domains.length === 0) {
      await tearDown(app, lab);
      return null;
    }
    const { source, roots } = stored;
    const part = { domains, isMain: false, of: from };
    const file = parseLab("the lab file", source.text, source.images);
    const plan = await planFor(app, file, stored.plan.platform, part);
    await bringUp(app, plan, roots, { parallel: 1, source: { ...source, part } });
    return null;
  });
}

interface Coming {
  plan: LabPlan;
  domain: DomainPlan;
  part: LabPart;
  roots: RootFileSystems;
}

/** Plans what of the lab will be here; its images are here then. */
async function planComing(app: AppContext, lab: string, parcel: Parcel): Promise<Coming> {
  const { source, platform, domain: name, imageKey, from } = parcel;
  const file = parseLab("the lab file", source.text, source.images);
  const stored = await storedPart(app, lab, from);
  const others = stored?.source?.part?.domains.filter((one) => one !== name) ?? [];
  const part: LabPart = { domains: [...others, name], isMain: false };
  const plan = await planFor(app, file, platform, part);
  const domain = plan.domains.find((one) => one.name === name);
  if (domain === undefined) throw new LabError(`the lab file has no domain ${name}`, { exit: ExitCode.usage });
  const built = await buildImages(app, plan, undefined, app.say, { [domain.image]: imageKey });
  const key = built[domain.image]?.key;
  if (key !== undefined && key !== imageKey) {
    throw new LabError(
      `image ${domain.image} of domain ${name} (${imageKey.slice(0, 12)}) is not here, and what can be built here is another (${key.slice(0, 12)})`,
      { hint: "Debian has newer packages: make the lab anew, and move it then", exit: ExitCode.unavailable },
    );
  }
  return { plan, domain, part, roots: rootsOf(built) };
}

/** The part of a machine's lab that is here; null: none. @throws LabError when the name is another's */
async function storedPart(app: AppContext, lab: string, from: string): Promise<StoredLab | null> {
  if (!(await labNames(app)).includes(lab)) return null;
  const stored = await readStoredLab(app, lab);
  if (stored?.source?.part?.of === from) return stored;
  throw new LabError(`there is a lab ${lab} already`, {
    hint: `cloison down ${lab} there removes it; or give this one another name`,
    exit: ExitCode.usage,
  });
}

const MIB = 2 ** 20;

async function requireRoom(app: AppContext, { domain, moved }: Parcel): Promise<void> {
  const { state } = app.paths;
  await app.host.files.makeDirectory(state);
  const free = Number((await app.host.processes.must({ argv: ["df", "--output=avail", "-B1", state] })).split("\n")[1]);
  if (free >= moved.roomBytes) return;
  throw new LabError(
    `the disk of domain ${domain} takes ${Math.ceil(moved.roomBytes / MIB)} MiB, and ${state} has ${Math.floor(free / MIB)}`,
    { hint: "make room there", exit: ExitCode.unavailable },
  );
}

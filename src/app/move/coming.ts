import { parseLab } from "../../files/lab-file.ts";
import { bringUp } from "../../lab/bring-up.ts";
import { readStoredLab, workspaceOf, type RootFileSystems, type StoredLab } from "../../lab/context.ts";
import { labNames } from "../../lab/inventory.ts";
import { backupDirectory, keyOfRoot } from "../../lab/paths.ts";
import { checkLabUplinks } from "../../lab/uplinks.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { DomainPlan, LabPart, LabPlan } from "../../model/plan.ts";
import type { AppContext } from "../context.ts";
import { requirePackages } from "../packages.ts";
import { buildImages, planFor, rootsOf } from "../prepare.ts";
import { requirePlatform } from "../require-platform.ts";
import { wayOf } from "./going.ts";
import { isOf, type Parcel, type PartAnswers, type PartOf, type PartQuestions } from "./parcel.ts";

/** Whether a domain can come to this machine. @throws LabError saying why not; nothing of a lab was changed */
export async function checkComing(app: AppContext, part: PartOf, parcel: Parcel): Promise<null> {
  await requirePlatform(app, parcel.platform);
  const way = wayOf(app.platforms[parcel.platform]);
  const { plan, domain, roots } = await planComing(app, part, parcel);
  await checkLabUplinks(app, plan);
  await requireRoom(app, parcel);
  if (way.kind === "stopped") await requirePackages(app, way.packing.packages);
  const { requireFitting } = way.kind === "live" ? way.moving : way.packing;
  await requireFitting(app.host, workspaceOf(app, part.lab, roots), plan, domain, parcel.moved);
  return null;
}

/**
 * Makes a domain that is to come, and lets it wait. One that comes as a layer is made when that is there: its network is not
 * its own, and would answer for it before.
 */
export async function receiveComing(app: AppContext, part: PartOf, parcel: Parcel): Promise<PartAnswers["receive"]> {
  const { lab } = part;
  const way = wayOf(app.platforms[parcel.platform]);
  if (way.kind === "stopped") {
    await app.host.files.replaceText(comingFile(app, lab), JSON.stringify(parcel));
    return { layer: layerOf(app, lab) };
  }
  const { moving } = way;
  await makeComing(app, part, parcel, {
    prepare: (host, workspace, of, domain) => moving.prepareToReceive(host, workspace, of, domain, parcel.moved),
    start: moving.receive,
  });
  return moving.sockets(workspaceOf(app, lab), parcel.domain);
}

async function makeComing(
  app: AppContext,
  part: PartOf,
  parcel: Parcel,
  how: Pick<Parameters<typeof bringUp>[3], "prepare" | "start">,
): Promise<void> {
  const { plan, part: willBe, roots } = await planComing(app, part, parcel);
  const source = part.of === null ? parcel.source : { ...parcel.source, part: { ...willBe, of: part.of } };
  // How it is made is of this one alone.
  await bringUp(app, plan, roots, { parallel: 1, only: [parcel.domain], source, ...how });
}

/** What of a domain has come as a layer, and what is to be made of it. */
const comingFolder = (app: AppContext, lab: string) => backupDirectory(app.paths, lab);
const comingFile = (app: AppContext, lab: string) => `${comingFolder(app, lab)}/parcel.json`;
const layerOf = (app: AppContext, lab: string) => `${comingFolder(app, lab)}/layer.tar.zst`;

async function makeOfLayer(app: AppContext, part: PartOf, name: string): Promise<void> {
  const { lab } = part;
  const text = await app.host.files.readTextIfExists(comingFile(app, lab));
  // Written by replaceText: whole, or not there.
  const parcel = text === null ? null : (JSON.parse(text) as Parcel);
  if (parcel?.domain !== name) return;
  const way = wayOf(app.platforms[parcel.platform]);
  if (way.kind === "live") return;
  await makeComing(app, part, parcel, {
    prepare: (host, workspace, of, domain) => way.packing.prepare(host, workspace, of, domain, layerOf(app, lab)),
  });
  await app.host.files.remove(comingFolder(app, lab));
}

/** Whether a domain that was received runs. */
export async function hasArrived(
  app: AppContext,
  part: PartOf,
  { domain: name, isSent }: PartQuestions["arrive"],
): Promise<PartAnswers["arrive"]> {
  const { lab } = part;
  try {
    if (isSent) await makeOfLayer(app, part, name);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    return { runs: false, why: error.message };
  }
  const stored = await readStoredLab(app, lab);
  const domain = stored?.plan.domains.find((one) => one.name === name);
  if (stored === null || domain === undefined || !isOf(stored, part)) return { runs: false, why: null };
  const { plan, roots } = stored;
  const workspace = workspaceOf(app, lab, roots);
  const { moving, list } = app.platforms[plan.platform];
  if (moving !== undefined) {
    return { runs: await moving.arrive(app.host, workspace, plan, domain, { isSent }), why: null };
  }
  const states = await list(app.host, workspace, plan);
  return { runs: states.some((one) => one.name === name && one.state === "running"), why: null };
}

interface Coming {
  plan: LabPlan;
  domain: DomainPlan;
  /** What of the lab is here then. */
  part: LabPart;
  roots: RootFileSystems;
}

/** Plans what of the lab will be here; the domain's image is here then. */
async function planComing(app: AppContext, part: PartOf, parcel: Parcel): Promise<Coming> {
  const { lab } = part;
  const { source, platform, domain: name, imageKey } = parcel;
  const file = parseLab("the lab file", source.text, source.images);
  const stored = await storedPart(app, part);
  const others = stored?.plan.domains.flatMap((one) => (one.name === name ? [] : [one.name])) ?? [];
  const willBe: LabPart = { domains: [...others, name], isMain: part.of === null };
  const plan = await planFor(app, file, platform, willBe);
  const domain = plan.domains.find((one) => one.name === name);
  if (domain === undefined) throw new LabError(`the lab file has no domain ${name}`, { exit: ExitCode.usage });
  const only = { ...plan, domains: [domain] };
  const built = await buildImages(app, only, undefined, app.say, { [domain.image]: imageKey });
  const key = built[domain.image]?.key;
  if (key !== undefined && key !== imageKey) {
    throw new LabError(
      `image ${domain.image} of domain ${name} (${imageKey.slice(0, 12)}) is not here, and what can be built here is another (${key.slice(0, 12)})`,
      { hint: "Debian has newer packages: make the lab anew, and move it then", exit: ExitCode.unavailable },
    );
  }
  const before = stored?.roots[domain.image];
  const shares = stored?.plan.domains.some((one) => one.name !== name && one.image === domain.image);
  if (shares === true && before !== undefined && keyOfRoot(before) !== imageKey) {
    throw new LabError(
      `domain ${name} lies on another build of image ${domain.image} (${imageKey.slice(0, 12)}) than the lab's domains here (${keyOfRoot(before).slice(0, 12)})`,
      { hint: `cloison down ${lab}, and up, make all of them on one`, exit: ExitCode.unavailable },
    );
  }
  // Those of the others are as they were.
  return { plan, domain, part: willBe, roots: { ...stored?.roots, ...rootsOf(built) } };
}

/** What is here of the lab; null: nothing. @throws LabError when the name is another's */
async function storedPart(app: AppContext, part: PartOf): Promise<StoredLab | null> {
  const { lab } = part;
  if (!(await labNames(app)).includes(lab)) return null;
  const stored = await readStoredLab(app, lab);
  if (stored !== null && isOf(stored, part)) return stored;
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

import { dirname } from "node:path";
import { readStoredLab, workspaceOf, type StoredLab } from "../../lab/context.ts";
import { backupDirectory, keyOfRoot } from "../../lab/paths.ts";
import { removeUnpacked } from "../../lab/unpacked.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { setFence } from "../../platforms/fence.ts";
import type { Moving, Packing, Pausing, Platform, Workspace } from "../../platforms/platform.ts";
import type { AppContext } from "../context.ts";
import { requirePackages } from "../packages.ts";
import { isOf, type Hears, type PartAnswers, type PartOf, type PartQuestions } from "./parcel.ts";

type Way = { kind: "live"; moving: Moving } | { kind: "stopped"; packing: Packing; pausing: Pausing };

/** How domains of a platform go to another host: while they run, or stopped, copied and started. @throws LabError when they cannot */
export function wayOf(platform: Platform): Way {
  const { name, moving, packing = packingOf(platform), pausing } = platform;
  if (moving !== undefined) return { kind: "live", moving };
  if (packing !== null && pausing !== undefined) return { kind: "stopped", packing, pausing };
  throw new LabError(`domains of platform ${name} cannot be moved`, {
    hint: "`cloison up FILE --platform qemu`, xen or container makes domains that can",
    exit: ExitCode.unavailable,
  });
}

/** A kernel of its own that stands still cannot write out what it has in memory; without one a layer is all that there is. */
function packingOf({ layers, pausing, merges, ownKernels }: Platform): Packing | null {
  if (layers === undefined || pausing === undefined || merges || ownKernels === true) return null;
  return {
    packages: layers.packages,
    // How much it is, is known when it has been packed.
    describe: async () => ({ sizeBytes: 0, roomBytes: 0, traits: null }),
    requireFitting: async () => undefined,
    async pack(host, workspace, plan, domain, file, signal) {
      await pausing.pause(host, workspace, domain.name);
      await layers.save(host, workspace, plan, domain, file, signal);
    },
    prepare: layers.prepare,
  };
}

interface Going {
  stored: StoredLab;
  domain: DomainPlan;
  workspace: Workspace;
  way: Way;
}

/** null: nothing of it is here. */
async function findGoing(app: AppContext, part: PartOf, name: string): Promise<Going | null> {
  const stored = await readStoredLab(app, part.lab);
  const domain = stored?.plan.domains.find((one) => one.name === name);
  if (stored === null || domain === undefined || !isOf(stored, part)) return null;
  const workspace = workspaceOf(app, part.lab, stored.roots);
  return { stored, domain, workspace, way: wayOf(app.platforms[stored.plan.platform]) };
}

async function requireGoing(app: AppContext, part: PartOf, name: string): Promise<Going> {
  const going = await findGoing(app, part, name);
  if (going !== null) return going;
  throw new LabError(`nothing is here of domain ${name} of lab ${part.lab}`, {
    hint: `a host that was started anew has lost what was moved there: cloison down ${part.lab}, and up, make it anew`,
  });
}

export async function describeGoing(
  app: AppContext,
  part: PartOf,
  { domain: name }: PartQuestions["describe"],
): Promise<PartAnswers["describe"]> {
  const going = await requireGoing(app, part, name);
  const { stored, domain, workspace, way } = going;
  const state = await stateOf(app, going);
  if (state !== "running") {
    throw new LabError(`domain ${name} is ${state}, and only one that runs can be moved`, {
      hint: "cloison resume, or cloison up, lets it run",
    });
  }
  await requirePackages(app, way.kind === "live" ? ["socat"] : way.packing.packages);
  const root = stored.roots[domain.image];
  if (root === undefined) throw new LabError(`the lab has no image ${domain.image}`);
  const { describe } = way.kind === "live" ? way.moving : way.packing;
  const moved = await describe(app.host, workspace, stored.plan, domain);
  return { imageKey: keyOfRoot(root), moved };
}

async function stateOf(app: AppContext, { stored: { plan }, domain, workspace }: Going): Promise<string> {
  const states = await app.platforms[plan.platform].list(app.host, workspace, plan);
  return states.find(({ name }) => name === domain.name)?.state ?? "stopped";
}

export async function offerGoing(
  app: AppContext,
  part: PartOf,
  { domain: name }: PartQuestions["offer"],
  { onProgress, onStill, signal }: Hears,
): Promise<PartAnswers["offer"]> {
  const { stored, domain, workspace, way } = await requireGoing(app, part, name);
  const { host } = app;
  if (way.kind === "live") {
    const sockets = way.moving.sockets(workspace, name);
    for (const folder of new Set(Object.values(sockets).map(dirname))) {
      // With what a move that was cut off has left.
      await host.files.remove(folder);
      await host.processes.must({ argv: ["install", "-d", "-o", way.moving.user, "-m", "0700", folder] });
    }
    return sockets;
  }
  const directory = backupDirectory(app.paths, part.lab);
  const layer = `${directory}/${name}.tar.zst`;
  await host.files.makeDirectory(directory);
  onProgress("what it wrote");
  onStill();
  await way.packing.pack(host, workspace, stored.plan, domain, layer, signal);
  return { layer };
}

export async function sendGoing(
  app: AppContext,
  part: PartOf,
  { domain: name }: PartQuestions["send"],
  hears: Hears,
): Promise<null> {
  const { stored, domain, workspace, way } = await requireGoing(app, part, name);
  const { host } = app;
  if (way.kind === "live") {
    for (const socket of Object.values(way.moving.sockets(workspace, name))) {
      await host.processes.must({ argv: ["chown", way.moving.user, socket] });
    }
    await way.moving.send(host, workspace, stored.plan, domain, hears);
    return null;
  }
  await removeUnpacked(app, part.lab);
  await hears.onSwitching();
  await setFence(host, stored.plan, domain, "down");
  return null;
}

export async function settleGoing(
  app: AppContext,
  part: PartOf,
  { domain: name, phase }: PartQuestions["settle"],
): Promise<PartAnswers["settle"]> {
  const going = await findGoing(app, part, name);
  if (going === null) return { found: "gone" };
  const { stored, domain, workspace, way } = going;
  if (way.kind === "live") return { found: await way.moving.settle(app.host, workspace, stored.plan, domain) };
  await removeUnpacked(app, part.lab);
  const state = await stateOf(app, going);
  if (state === "stopped") return { found: "gone" };
  // What runs has gone on behind what was packed.
  if (state === "paused" && phase !== "copying") return { found: "sent" };
  await goOn(app, going, way.pausing);
  return { found: "here" };
}

export async function takeBackGoing(
  app: AppContext,
  part: PartOf,
  { domain: name }: PartQuestions["takeBack"],
): Promise<null> {
  const going = await requireGoing(app, part, name);
  const { stored, domain, workspace, way } = going;
  if (way.kind === "live") await way.moving.takeBack(app.host, workspace, stored.plan, domain);
  else await goOn(app, going, way.pausing);
  return null;
}

async function goOn({ host }: AppContext, { stored, domain, workspace }: Going, pausing: Pausing): Promise<void> {
  await setFence(host, stored.plan, domain, "up");
  await pausing.resume(host, workspace, domain.name);
}

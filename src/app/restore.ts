import { resolve } from "node:path";
import { parseLab } from "../files/lab-file.ts";
import { carryIn } from "../images/carry-image.ts";
import { imageFile, layerFile, readBackupManifest, unpackBackup, type BackupManifest } from "../lab/backup-file.ts";
import { bringUp, type BringUpStep } from "../lab/bring-up.ts";
import type { RootFileSystems } from "../lab/context.ts";
import { labNames } from "../lab/inventory.ts";
import { LOCK_WAIT_MS, withLabLock } from "../lab/lab-lock.ts";
import { labsMoved } from "../lab/moves.ts";
import { imageStore } from "../lab/paths.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { PlatformName } from "../model/lab.ts";
import type { LabPlan } from "../model/plan.ts";
import { inBackupDirectory, requireLayers } from "./backup.ts";
import type { AppContext } from "./context.ts";
import { requirePackages, requireRoot } from "./packages.ts";
import { buildImages, planFor, rootsOf } from "./prepare.ts";
import { requirePlatform } from "./require-platform.ts";
import { DEFAULT_PARALLEL } from "./up.ts";

export interface RestoreOptions {
  /** Instead of the one that the lab was on. */
  platform?: PlatformName | undefined;
  parallel?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: (line: string) => void;
}

/**
 * Brings a lab up from a backup of it. Before anything is made, the backup was found to be whole, and to fit here.
 * @param path as the user wrote it
 */
export async function restoreLab(
  app: AppContext,
  path: string,
  { platform: wanted, parallel = DEFAULT_PARALLEL, signal, onProgress = () => undefined }: RestoreOptions = {},
): Promise<LabPlan> {
  requireRoot(app, "restore");
  await requirePackages(app, ["tar", "zstd"]);
  const file = resolve(app.workingDirectory, path);
  const manifest = await readBackupManifest(app.host, file);
  const platform = wanted ?? manifest.platform;
  const layers = requireLayers(app, platform);
  requireConvertible(app, manifest, platform);
  await requirePackages(app, layers.packages);
  await requirePlatform(app, platform);
  return withLabLock(app.host, app.paths, manifest.lab, LOCK_WAIT_MS, async () => {
    await requireAbsent(app, manifest.lab);
    return inBackupDirectory(app, manifest.lab, async (directory) => {
      onProgress("verifying the backup");
      await unpackBackup(app.host, file, directory, signal);
      const lab = parseLab(`${path}: lab.yaml`, manifest.labFile, manifest.namedImages);
      const plan = await planFor(app, lab, platform);
      requireSameDomains(manifest, plan);
      const roots = await imagesOf(app, manifest, plan, directory, onProgress, signal);
      await bringUp(app, plan, roots, {
        parallel,
        source: { text: manifest.labFile, images: manifest.namedImages },
        prepare: (host, workspace, of, domain) =>
          layers.prepare(host, workspace, of, domain, layerFile(directory, domain.name)),
        onStep: (step) => onProgress(progressText(step)),
        ...(signal === undefined ? {} : { signal }),
      });
      return plan;
    });
  });
}

/** @throws LabError when one context stands for all domains before or after, and not both times */
function requireConvertible(app: AppContext, manifest: BackupManifest, platform: PlatformName): void {
  if (app.platforms[manifest.platform].merges === app.platforms[platform].merges) return;
  throw new LabError(`a backup of platform ${manifest.platform} cannot be restored on ${platform}`, {
    hint: "on shared all domains are one system, which cannot be taken apart, nor put together of several",
    exit: ExitCode.usage,
  });
}

async function requireAbsent(app: AppContext, lab: string): Promise<void> {
  const isThere = (await labNames(app)).includes(lab) || (await labsMoved(app)).includes(lab);
  if (!isThere) return;
  throw new LabError(`there is a lab ${lab} already`, {
    hint: `cloison backup keeps it, cloison down ${lab} removes it`,
    exit: ExitCode.usage,
  });
}

function requireSameDomains(manifest: BackupManifest, plan: LabPlan): void {
  const missing = plan.domains.find(({ name }) => !manifest.domains.includes(name));
  if (missing !== undefined) throw new LabError(`the backup has no layer for domain ${missing.name}`);
}

/** The very images that the domains' layers lie on. */
async function imagesOf(
  app: AppContext,
  { imageKeys, withImages }: BackupManifest,
  plan: LabPlan,
  directory: string,
  onProgress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<RootFileSystems> {
  if (withImages) {
    for (const [name, key] of Object.entries(imageKeys)) {
      const file = imageFile(directory, key);
      await carryIn(app.host, { store: imageStore(app.paths), name, key, file, onProgress, signal });
    }
  }
  const built = await buildImages(app, plan, signal, onProgress, imageKeys);
  for (const [name, { key }] of Object.entries(built)) {
    if (imageKeys[name] === key) continue;
    throw new LabError(
      `image ${name} of the backup (${imageKeys[name]?.slice(0, 12) ?? "none"}) is not here, and what can be built now is another (${key.slice(0, 12)})`,
      { hint: "make the backup anew with --with-images, where the lab is" },
    );
  }
  return rootsOf(built);
}

function progressText(step: BringUpStep): string {
  switch (step.step) {
    case "network":
      return `network: ${step.changes} changes`;
    case "domain":
      return `domain ${step.done} of ${step.of}: ${step.name}`;
    case "uplink":
      return `${step.name} has joined`;
    case "kept":
      return "making the lab";
  }
}

import { resolve } from "node:path";
import { DISK_IMPORT_PACKAGES, IMPORT_PACKAGES, importImage, importKind } from "../../images/import-image.ts";
import { writeNamedImage } from "../../images/named-images.ts";
import { imageStore } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { NamedImage } from "../../model/named-image.ts";
import type { AppContext } from "../context.ts";
import { requirePackages, requireRoot } from "../packages.ts";
import { requireFree, requireImageName, withName, type Made, type MakeOptions } from "./make.ts";

/** Takes an OCI image, an archive of a root file system, or a qcow2 disk in under a name: all or nothing. */
export async function importNamed(
  app: AppContext,
  name: string,
  source: string,
  options: MakeOptions & { replace: boolean },
): Promise<Made> {
  requireImageName(name);
  const store = imageStore(app.paths);
  const absolute = resolve(app.workingDirectory, source);
  if (!(await app.host.files.exists(absolute))) {
    throw new LabError(`there is no ${source}`, { exit: ExitCode.usage });
  }
  const kind = await importKind(app.host, absolute);
  if (kind === null) {
    throw new LabError(`${source} is not an image: a folder must be an OCI image layout, with index.json`, {
      hint: "of a folder with a root file system make an archive: tar -C FOLDER -cf root.tar .",
      exit: ExitCode.usage,
    });
  }
  requireRoot(app, "image import");
  await requirePackages(app, [...IMPORT_PACKAGES, ...(kind === "qcow2" ? DISK_IMPORT_PACKAGES : [])]);
  return withName(app, name, async () => {
    const before = await requireFree(app, name, options.replace);
    const onProgress = options.onProgress ?? (() => undefined);
    const about = { store, name, source: absolute, kind, onProgress, signal: options.signal };
    const { key, manifest, recipe } = await importImage(app.host, about);
    const image: NamedImage = {
      schema: "cloison.named-image/1",
      name,
      createdAt: new Date(app.host.clock.nowMs()).toISOString(),
      source,
      recipe,
      sizeBytes: null,
      memoryBytes: null,
      swapBytes: null,
      key,
    };
    await writeNamedImage(app.host, store, image);
    const built = { key, manifest, directory: `${store}/${key}/rootfs` };
    return { image, built, isUnchanged: before?.key === key };
  });
}

import { dirname, join, resolve } from "node:path";
import { APPLIANCE_LOADER, APPLIANCE_PROGRAM, applianceRecipe } from "../../images/appliance-recipe.ts";
import { ensureImage } from "../../images/build.ts";
import { debianCodename } from "../../images/debian-sources.ts";
import { tooSmall } from "../../images/disk-size.ts";
import { EXPORT_PACKAGES, exportImage, formatOf } from "../../images/export-image.ts";
import { ensureGuestKernel } from "../../images/guest-kernel.ts";
import { storePaths, takeLock } from "../../images/image-store.ts";
import type { Command, Lock } from "../../host/host.ts";
import { imageStore } from "../../lab/paths.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { databasePart, nodePart, programPart, type Part } from "../../remote/parts.ts";
import type { AppContext } from "../context.ts";
import { LAB_PACKAGES, requirePackages, requireRoot } from "../packages.ts";
import { buildImages, planFor } from "../prepare.ts";
import { readLabFile, readText } from "../read-files.ts";

const NAME = "appliance";
const MIB = 2 ** 20;

/** Beside what is on it: for labs, their domains, and what they write. */
const ROOM_BYTES = 4096 * MIB;

/** What runs domains on it. Emulated machines inside a machine with Xen are nobody's wish; `up` installs what they need. */
const PLATFORMS = ["xen", "container", "shared", "namespace"] as const;

export interface ApplianceOptions {
  /** Of the disk's file system; null: its content, and 4 GiB. */
  sizeBytes: number | null;
  /** File of public keys that may log in as root; null: nobody may. */
  sshKeys: string | null;
  /** A file that is there is replaced. */
  force: boolean;
  signal?: AbortSignal;
  onProgress: (line: string) => void;
}

export interface Appliance {
  file: string;
  format: "raw" | "qcow2";
  bytes: number;
  /** Of the root file system. */
  key: string;
  /** Keys of the images on it. */
  images: string[];
}

/**
 * Writes a disk that boots Xen, with Cloison and the study's images: a machine that a class can start from.
 * @param target as the user wrote it
 */
export async function makeAppliance(app: AppContext, target: string, options: ApplianceOptions): Promise<Appliance> {
  const { signal, onProgress } = options;
  const { host } = app;
  const file = resolve(app.workingDirectory, target);
  const format = formatOf(target);
  if (format !== "raw" && format !== "qcow2") {
    throw new LabError(`${target} is no name for a disk`, {
      hint: "write one that ends in .qcow2 or .raw",
      exit: ExitCode.usage,
    });
  }
  if ((await host.files.kind(file)) !== null && !options.force) {
    throw new LabError(`${target} is there already`, {
      hint: "take another name, or say --force",
      exit: ExitCode.usage,
    });
  }
  const keys = options.sshKeys === null ? null : await readText(app, options.sshKeys);
  requireRoot(app, "image appliance");
  await requirePackages(app, ["mmdebstrap", "util-linux", ...EXPORT_PACKAGES[format]]);

  const store = imageStore(app.paths);
  const paths = storePaths(store);
  const run = signal === undefined ? {} : { signal };
  const { lab } = await readLabFile(app, join(app.root, "examples/study/lab.yaml"));
  const images = await buildImages(app, await planFor(app, lab, "xen"), signal, onProgress);
  const kernel = await ensureGuestKernel(host, { store, guestDirectory: `${app.root}/guest`, onProgress, signal });
  const release = debianCodename((await host.files.readTextIfExists("/etc/os-release")) ?? "");
  const packages = [...LAB_PACKAGES, "mmdebstrap", ...PLATFORMS.flatMap((name) => app.platforms[name].packages)];
  const recipe = applianceRecipe(packages, release, keys);
  const root = await ensureImage(host, { store, name: NAME, recipe, onProgress, ...run });

  const imageKeys = [...new Set(Object.values(images).map(({ key }) => key))].toSorted();
  const locks: Lock[] = [];
  const staging = paths.build(NAME);
  try {
    // Whoever removes images spares those that are held.
    const onWait = () => onProgress(`${NAME}: waiting for another command that uses its images`);
    for (const key of [NAME, root.key, ...imageKeys])
      locks.push(await takeLock(host, paths.lock(key), { ...run, onWait }));
    // What a crash has left of another one.
    await host.files.remove(staging);
    const extra = `${staging}/extra`;
    const tree = `${staging}/tree`;
    const taken = [...imageKeys, `.kernels/${dirname(kernel.kernel).split("/").at(-1)}`];
    for (const folder of [tree, ...taken.map((name) => `${extra}/var/lib/cloison/images/${name}`)]) {
      await host.files.makeDirectory(folder);
    }
    const program = `${extra}${APPLIANCE_PROGRAM}`;
    for (const [part, folder] of [
      [await programPart(host, app.root), `${program}/program`],
      [await databasePart(host, app.root), `${program}/program`],
      [nodePart(app.node), program],
    ] as const) {
      await copyPart(app, part, folder);
    }
    const measured = await host.processes.must({
      argv: ["du", "--summarize", "--block-size=1M", root.directory, extra, ...taken.map((name) => `${store}/${name}`)],
      ...run,
    });
    const contentMiB = measured.split("\n").reduce((sum, line) => sum + Number(line.split("\t")[0]), 0);
    // A tenth for ext4's own tables and the ends of files.
    const contentBytes = Math.ceil(contentMiB * 1.1) * MIB;
    const fileSystemBytes = options.sizeBytes ?? contentBytes + ROOM_BYTES;
    if (fileSystemBytes < contentBytes) throw tooSmall(NAME, fileSystemBytes, contentBytes + ROOM_BYTES);
    onProgress(`writing ${target}`);
    const { bytes } = await exportImage(host, {
      store,
      name: NAME,
      key: root.key,
      rootfs: tree,
      format,
      file,
      fileSystemBytes: Math.floor(fileSystemBytes / MIB) * MIB,
      ampleBytes: contentBytes + ROOM_BYTES,
      swapBytes: null,
      loader: {
        first: `${root.directory}${APPLIANCE_LOADER.first}`,
        rest: `${root.directory}${APPLIANCE_LOADER.rest}`,
      },
      within: (argv) => withinTree({ tree, layers: [extra, root.directory], store, taken }, argv),
      ...run,
    });
    return { file: target, format, bytes, key: root.key, images: imageKeys };
  } finally {
    // Whose it is as long as its lock is held.
    if (locks.length > 0) await host.files.remove(staging);
    for (const lock of locks) lock.release();
  }
}

async function copyPart({ host }: AppContext, { root, paths }: Part, folder: string): Promise<void> {
  const script = `mkdir -p "$2"
tar --create --dereference --owner=0 --group=0 --directory "$1" --null --files-from=- | tar --extract --directory "$2"`;
  await host.processes.must({
    argv: ["bash", "-euo", "pipefail", "-c", script, "copy", root, folder],
    stdin: paths.map((path) => `${path}\0`).join(""),
  });
}

/**
 * Shows the layers as one tree, with images at their places in it, but for disks that were made of them: those are known by their
 * inodes, and are made anew. The mounts are the command's own, and end with it.
 */
const SHOW_TREE = `
tree=$1 store=$2 layers=$3
shift 3
mount -t overlay overlay -o "lowerdir=$layers" "$tree"
while [ "$1" != -- ]; do
  image=$tree/var/lib/cloison/images/$1
  mount --bind "$store/$1" "$image"
  [ ! -d "$image/machine" ] || mount -t tmpfs -o mode=755 disks "$image/machine"
  shift
done
shift
exec "$@"`;

function withinTree(
  { tree, layers, store, taken }: { tree: string; layers: string[]; store: string; taken: string[] },
  argv: Command["argv"],
): Command["argv"] {
  const show = ["sh", "-euc", SHOW_TREE, "show", tree, store, layers.join(":"), ...taken, "--"];
  return ["unshare", "--mount", "--propagation", "private", ...show, ...argv];
}

import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan } from "../../model/plan.ts";
import { prepareGuestFiles } from "../guest/prepare-files.ts";
import type { Layers, Workspace } from "../platform.ts";
import { copyDisk } from "./copy-disk.ts";
import { guestPaths } from "./guest-paths.ts";

/**
 * Shows a disk as a file system, in a mount namespace of its own, so that nothing of it outlives the script. QEMU's storage
 * daemon gives the qcow2's content as one file (FUSE), which is mounted through a loop device. Two trees are made alike by
 * rsync: what differs in times, sizes, owners, modes or attributes. All in the folder $work.
 */
const SHOWN = String.raw`work=$1 rootfs=$2 layer=$3 disk=$4 export=$5 access=$6
cd "$work"
mkdir disk image layer overlay merged
: >raw
qemu-storage-daemon --blockdev "$disk" --export "$export" --pidfile daemon.pid &
daemon=$!
trap 'kill $daemon; wait $daemon' EXIT
trap 'exit 143' TERM INT HUP
until [ -s daemon.pid ]; do
  kill -0 $daemon
  sleep 0.05
done
mount -o "loop,noatime,$access" raw disk
mount --bind "$rootfs" image
alike() { rsync -aHAX --numeric-ids --delete --exclude=/lost+found "$1/" "$2/"; }`;

/** What differs from the image comes to lie in the overlay's upper layer. */
const SAVE = `${SHOWN}
mount -t overlay overlay -o lowerdir=image,upperdir=layer,workdir=overlay merged
alike disk merged
umount merged disk
tar --create --zstd --file "$layer" --numeric-owner --sparse --acls --xattrs '--xattrs-include=*' \\
  --xattrs-exclude=trusted.overlay.origin --directory layer .`;

const FILL = `${SHOWN}
tar --extract --zstd --file "$layer" --numeric-owner --same-owner --preserve-permissions --acls --xattrs \\
  '--xattrs-include=*' --directory layer
mount -t overlay overlay -o lowerdir=layer:image merged
alike merged disk
umount merged disk`;

/** What a virtual machine wrote over its image's disk, block by block, as files, and back. */
export const qemuLayers: Layers = {
  packages: ["qemu-system-common", "rsync", "socat", "tar", "util-linux", "zstd"],

  async save(host, workspace, _plan, domain, file, signal) {
    const work = `${file}.work`;
    try {
      await host.files.makeDirectory(work);
      await copyDisk(host, workspace, domain.name, `${work}/disk.qcow2`, signal);
      await convert(host, workspace, domain, { script: SAVE, work, disk: `${work}/disk.qcow2`, file, signal });
    } finally {
      await host.files.remove(work);
    }
  },

  async prepare(host, workspace, plan, domain, file) {
    const paths = guestPaths(workspace, domain.name);
    await prepareGuestFiles(host, workspace, plan, domain, paths);
    const work = `${paths.directory}/layer`;
    await host.files.makeDirectory(work);
    await convert(host, workspace, domain, { script: FILL, work, disk: paths.disk, file });
    await host.files.remove(work);
  },
};

interface Conversion {
  script: string;
  /** An empty folder, but for the disk. */
  work: string;
  disk: string;
  file: string;
  signal?: AbortSignal | undefined;
}

async function convert(
  host: Host,
  workspace: Workspace,
  domain: DomainPlan,
  { script, work, disk, file, signal }: Conversion,
): Promise<void> {
  const writable = script === FILL;
  const blockdev = { driver: "qcow2", "node-name": "disk", file: { driver: "file", filename: disk } };
  const exported = { type: "fuse", id: "disk", "node-name": "disk", mountpoint: `${work}/raw`, writable };
  const { code, stderr } = await host.processes.run({
    argv: [
      ...(["unshare", "--mount", "sh", "-ec", script, "layer", work, workspace.rootfs(domain), file] as const),
      JSON.stringify(blockdev),
      JSON.stringify(exported),
      writable ? "rw" : "ro",
    ],
    ...(signal === undefined ? {} : { signal }),
  });
  if (code === 0) return;
  const complaint = stderr.trim().split("\n").slice(-5).join("\n");
  throw new LabError(`domain ${domain.name}: its disk and its layer cannot be made alike (exit ${code}): ${complaint}`);
}

import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";

/** Debian packages of the programs that this runs. */
export const DISK_LAYER_PACKAGES = ["qemu-system-common", "rsync", "tar", "util-linux", "zstd"];

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

interface Conversion {
  /** For messages. */
  name: string;
  /** Of the domain's image. */
  rootfs: string;
  /** A qcow2, which nobody else writes. */
  disk: string;
  /** The layer's. */
  file: string;
  /** A folder for the conversion alone; made, and removed. */
  work: string;
  signal?: AbortSignal | undefined;
}

/** Writes what a disk has beside its image to a file, as the layer of an overlay (docs/backup.md). */
export async function saveLayer(host: Host, conversion: Conversion): Promise<void> {
  await convert(host, SAVE, conversion);
}

/** Makes a disk that is as its image as a layer above that says. @throws LabError also when there is no room on it */
export async function fillFromLayer(host: Host, conversion: Conversion): Promise<void> {
  await convert(host, FILL, conversion);
}

async function convert(
  host: Host,
  script: string,
  { name, rootfs, disk, file, work, signal }: Conversion,
): Promise<void> {
  const writable = script === FILL;
  const blockdev = { driver: "qcow2", "node-name": "disk", file: { driver: "file", filename: disk } };
  const exported = { type: "fuse", id: "disk", "node-name": "disk", mountpoint: `${work}/raw`, writable };
  try {
    await host.files.makeDirectory(work);
    const { code, stderr } = await host.processes.run({
      argv: [
        ...(["unshare", "--mount", "sh", "-ec", script, "layer", work, rootfs, file] as const),
        JSON.stringify(blockdev),
        JSON.stringify(exported),
        writable ? "rw" : "ro",
      ],
      ...(signal === undefined ? {} : { signal }),
    });
    if (code === 0) return;
    const complaint = stderr.trim().split("\n").slice(-5).join("\n");
    throw new LabError(`domain ${name}: its disk and its layer cannot be made alike (exit ${code}): ${complaint}`);
  } finally {
    await host.files.remove(work);
  }
}

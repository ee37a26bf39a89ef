import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { BlockDevice } from "./oci-config.ts";

/**
 * The disk that holds a directory: what block I/O limits are set on.
 * @throws LabError when the directory is on no disk of its own (tmpfs, a network file system)
 */
export async function layerDevice(host: Host, directory: string): Promise<BlockDevice> {
  const [number = "", source = ""] = (
    await host.processes.must({ argv: ["findmnt", "-n", "-o", "MAJ:MIN,SOURCE", "--target", directory] })
  )
    .trim()
    .split(/\s+/);
  const device = number.startsWith("0:") ? await deviceOfSource(host, source) : number;
  const match = /^(\d+):(\d+)$/.exec(device ?? "");
  if (match === null || device === null) {
    throw new LabError(`I/O limits cannot be set: ${directory} lies on ${source}, which is no disk`, {
      hint: "give the domain a disk size, which makes its layer a file system of its own",
    });
  }
  // Limits are taken for whole disks only (block/blk-cgroup.c). `..` of the link's target is the partition's disk.
  if (!(await host.files.exists(`/sys/dev/block/${device}/partition`)))
    return { major: Number(match[1]), minor: Number(match[2]) };
  const [major, minor] = (await host.files.readText(`/sys/dev/block/${device}/../dev`)).trim().split(":").map(Number);
  if (major === undefined || minor === undefined) throw new LabError(`/sys tells no disk of partition ${device}`);
  return { major, minor };
}

/** Some file systems, btrfs for one, have numbers of their own, and name their disk as `/dev/sda2[/subvolume]`. */
async function deviceOfSource(host: Host, source: string): Promise<string | null> {
  const name = /^\/dev\/([^[/]+)/.exec(source)?.[1];
  if (name === undefined) return null;
  return (await host.files.readTextIfExists(`/sys/class/block/${name}/dev`))?.trim() ?? null;
}

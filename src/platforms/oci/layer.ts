import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { DomainPlan } from "../../model/plan.ts";
import type { DomainPaths } from "./domain-paths.ts";

/** Smaller ones have no room for the file system's own tables and the overlay's directories. */
const SMALLEST_LAYER_BYTES = 2 * 2 ** 20;

/**
 * Puts the domain's root together: the image below, read-only, and above it a layer that takes all writes.
 * @param fill puts what a snapshot keeps into the layer, before anybody sees it; absent: the plan's files are written
 * @throws LabError when a file of the plan would pass through a symbolic link of the image
 */
export async function mountRoot(
  host: Host,
  paths: DomainPaths,
  rootfs: string,
  domain: DomainPlan,
  fill?: (directory: string) => Promise<void>,
): Promise<void> {
  await host.files.makeDirectory(paths.root);
  await host.files.makeDirectory(paths.layer);
  if (domain.limits.diskBytes !== null) await mountLayer(host, paths, domain.name, domain.limits.diskBytes);
  await host.files.makeDirectory(paths.upper);
  await host.files.makeDirectory(paths.work);
  await fill?.(paths.upper);
  host.mounts.mount({
    source: "overlay",
    target: paths.root,
    type: "overlay",
    // Device nodes of an image are of no use in a domain; its /dev is a file system of its own.
    flags: ["nosuid", "nodev"],
    data: `lowerdir=${escapeOption(rootfs, ":")},upperdir=${escapeOption(paths.upper)},workdir=${escapeOption(paths.work)}`,
  });
  if (fill !== undefined) return;
  for (const [path, text] of Object.entries(domain.files)) await writeInside(host, paths.root, path, text);
}

/** Idempotent. Mounts go lazily: what is still open there goes when it is closed, and the loop device with it. */
export async function unmountRoot(host: Host, paths: DomainPaths): Promise<void> {
  host.mounts.unmount(paths.root, { lazy: true });
  host.mounts.unmount(paths.layer, { lazy: true });
}

/** A file system of the size asked for, in a sparse file: a full one says ENOSPC inside, and takes no more outside. */
async function mountLayer(host: Host, paths: DomainPaths, name: string, bytes: number): Promise<void> {
  if (bytes < SMALLEST_LAYER_BYTES) {
    throw new LabError(`domains.${name}.disk: ${bytes} bytes are too few for a file system`, {
      hint: "write 2M or more",
    });
  }
  await host.processes.must({
    // No journal and no reserve: the layer lives as long as its domain, and all of it is the domain's.
    argv: [
      "mkfs.ext4",
      "-q",
      "-F",
      "-m",
      "0",
      "-O",
      "^has_journal,^resize_inode",
      "-E",
      "lazy_itable_init=1,nodiscard",
      paths.layerImage,
      `${Math.floor(bytes / 1024)}k`,
    ],
  });
  // `mount` marks the loop device to be released with its last user, before it is mounted: no crash can leave one behind.
  await host.processes.must({
    argv: ["mount", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime", paths.layerImage, paths.layer],
  });
  const device = await host.processes.must({ argv: ["findmnt", "-n", "-o", "SOURCE", "--mountpoint", paths.layer] });
  // Past the machine's page cache, so that a domain's direct I/O is direct, and nothing is cached twice. A file system
  // that cannot do it (tmpfs before Linux 6.6) answers with an error, and the layer works all the same.
  await host.processes.run({ argv: ["losetup", "--direct-io=on", device.trim()] });
}

/**
 * Writes through the overlay, which copies directories up with their owners and modes. Nothing runs in there yet, so what was
 * checked stays true until it is written.
 */
async function writeInside(host: Host, root: string, path: string, text: string): Promise<void> {
  const parts = path.split("/").filter((part) => part !== "");
  if (!path.startsWith("/") || parts.length === 0 || parts.includes("..") || parts.includes(".")) {
    throw new LabError(`${path} is not the absolute path of a file in a domain`);
  }
  let at = root;
  for (const part of parts) {
    at = `${at}/${part}`;
    const kind = await host.files.kind(at);
    if (kind === null) break;
    if (kind === "symlink") {
      throw new LabError(`will not write ${path}: ${at.slice(root.length)} is a symbolic link in the image`, {
        hint: "name the path that the link leads to",
      });
    }
  }
  await host.files.writeText(root + path, text, 0o644);
}

/** Overlay reads a comma as the end of an option, and a colon as the end of a lower directory. */
function escapeOption(path: string, also = ""): string {
  const escaped = path.replaceAll(/[,\\]/g, String.raw`\$&`);
  return also === "" ? escaped : escaped.replaceAll(also, `\\${also}`);
}

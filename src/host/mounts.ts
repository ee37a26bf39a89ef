import { readFileSync } from "node:fs";
import { LabError } from "../model/error.ts";
import type { MountFlag, Mounts } from "./host.ts";
import { parseMountInfo } from "./mount-info.ts";
import * as sys from "./syscalls.ts";

/** Flags of a mount itself, which a bind mount takes only when it is mounted once more (mount(2), "Creating a bind mount"). */
const ATTRIBUTES: Partial<Record<MountFlag, number>> = {
  readonly: sys.MS_RDONLY,
  nosuid: sys.MS_NOSUID,
  nodev: sys.MS_NODEV,
};

export function createMounts(): Mounts {
  return {
    mount({ source, target, type, flags = [], data }) {
      const attributes = flags.reduce((sum, flag) => sum | (ATTRIBUTES[flag] ?? 0), 0);
      const bind = flags.includes("bind");
      const recursive = flags.includes("recursive") ? sys.MS_REC : 0;
      let mounted = false;
      try {
        sys.mount(source, target, type, bind ? sys.MS_BIND | recursive : attributes, data ?? null);
        mounted = true;
        if (bind && attributes !== 0) sys.mount(null, target, null, sys.MS_REMOUNT | sys.MS_BIND | attributes);
        if (flags.includes("private")) sys.mount(null, target, null, sys.MS_PRIVATE | recursive);
      } catch (error) {
        if (mounted) sys.umount(target, sys.MNT_DETACH | sys.UMOUNT_NOFOLLOW);
        throw new LabError(`cannot mount ${bind ? "a bind mount of " : ""}${source} on ${target}: ${reason(error)}`, {
          hint: mountHint(error, type),
          cause: error,
        });
      }
    },

    unmount(target, { lazy = false } = {}) {
      try {
        sys.umount(target, sys.UMOUNT_NOFOLLOW | (lazy ? sys.MNT_DETACH : 0));
      } catch (error) {
        // EINVAL: there, but not a mount point.
        if (sys.hasCode(error, "EINVAL", "ENOENT")) return;
        throw new LabError(`cannot unmount ${target}: ${reason(error)}`, {
          hint: sys.hasCode(error, "EBUSY") ? "end the processes that use it (fuser -vm shows them)" : "run it as root",
          cause: error,
        });
      }
    },

    async list() {
      const depth = (path: string) => path.split("/").length;
      return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"))
        .map(({ target, type, source }) => ({ target, type, source }))
        .toSorted((a, b) => depth(a.target) - depth(b.target));
    },
  };
}

function reason(error: unknown): string {
  return error instanceof sys.SystemCallError ? error.code : String(error);
}

function mountHint(error: unknown, type: string): string {
  if (sys.hasCode(error, "EPERM", "EACCES")) return "run it as root, outside of a container";
  if (sys.hasCode(error, "ENODEV")) return `this kernel has no ${type}; \`cloison check\` says what works instead`;
  return "the kernel's log (dmesg) may say more";
}

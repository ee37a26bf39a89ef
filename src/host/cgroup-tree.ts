import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { hasCode } from "./syscalls.ts";

/** The part of a file system that control groups need; a parameter, so that cgroup v2 is tested where the machine has v1. */
export interface CgroupTree {
  exists(path: string): boolean;
  /** null when there is none, or when the group went away meanwhile. */
  read(path: string): string | null;
  write(path: string, text: string): void;
  /** Names of the directories below; none when the directory is missing. */
  groups(path: string): string[];
  /** There already is fine. The parent exists. */
  make(path: string): void;
  /** Returns false while the kernel still holds it busy; missing is fine. */
  remove(path: string): boolean;
  /** SIGKILL; gone already is fine. */
  kill(pid: number): void;
}

/** The kernel's own. */
export const kernelCgroupTree: CgroupTree = {
  exists: existsSync,

  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      // ENODEV: the group was removed between open and read.
      if (hasCode(error, "ENOENT", "ENODEV")) return null;
      throw error;
    }
  },

  // No O_CREAT: a file that the kernel does not offer must be an error, whatever is mounted there.
  write: (path, text) => writeFileSync(path, text, { flag: "r+" }),

  groups(path) {
    try {
      return readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    } catch (error) {
      if (hasCode(error, "ENOENT", "ENODEV")) return [];
      throw error;
    }
  },

  make(path) {
    try {
      mkdirSync(path);
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  },

  remove(path) {
    try {
      rmdirSync(path);
      return true;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return true;
      if (hasCode(error, "EBUSY")) return false;
      throw error;
    }
  },

  kill(pid) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (!hasCode(error, "ESRCH")) throw error;
    }
  },
};

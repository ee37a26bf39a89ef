import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ExitCode, LabError } from "../model/error.ts";
import type { Files } from "./host.ts";
import { isWithin, parseMountInfo } from "./mount-info.ts";
import { hasCode } from "./syscalls.ts";

/** What the user can do about errors that are not bugs of ours. */
const HINTS: Record<string, string> = {
  ENOSPC: "the disk is full: make room there, or choose another state directory",
  EDQUOT: "the disk quota is used up: make room there, or choose another state directory",
  EACCES: "run it as root",
  EPERM: "run it as root",
  EROFS: "the file system is read-only: choose another state directory",
};

export function createFiles(): Files {
  return {
    exists: (path) => exists(path),
    kind: (path) => kind(path),
    readText: (path) => fs.readFile(path, "utf8"),

    async readTextIfExists(path) {
      try {
        return await fs.readFile(path, "utf8");
      } catch (error) {
        // ESRCH: a file of /proc whose process ended between open and read.
        if (hasCode(error, "ENOENT", "ENOTDIR", "ESRCH")) return null;
        throw error;
      }
    },

    writeText: (path, text, mode) =>
      explained(path, async () => {
        await fs.mkdir(dirname(path), { recursive: true });
        await fs.writeFile(path, text, mode === undefined ? {} : { mode });
        // The mode given at creation is cut by the umask, and ignored when the file is there.
        if (mode !== undefined) await fs.chmod(path, mode);
      }),

    replaceText: (path, text) =>
      explained(path, async () => {
        await fs.mkdir(dirname(path), { recursive: true });
        const beside = `${path}.${process.pid}.new`;
        try {
          await writeSynced(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, text);
          await fs.rename(beside, path);
        } catch (error) {
          await fs.rm(beside, { force: true });
          throw error;
        }
        await syncDirectory(dirname(path));
      }),

    appendSynced: (path, text) =>
      explained(path, async () => {
        const isNew = (await lstatIfExists(path)) === null;
        if (isNew) await fs.mkdir(dirname(path), { recursive: true });
        await writeSynced(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, text);
        if (isNew) await syncDirectory(dirname(path));
      }),

    async stamp(path) {
      const stat = await fs.stat(path, { bigint: true }).catch((error: unknown) => {
        if (hasCode(error, "ENOENT", "ENOTDIR")) return null;
        throw error;
      });
      return stat === null ? null : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(" ");
    },

    async list(path) {
      try {
        return (await fs.readdir(path)).toSorted();
      } catch (error) {
        if (hasCode(error, "ENOENT")) return [];
        throw error;
      }
    },

    makeDirectory: (path) => explained(path, async () => void (await fs.mkdir(path, { recursive: true }))),
    rename: (from, to) => explained(to, () => fs.rename(from, to)),
    remove: (path) => explained(path, () => remove(path)),
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await fs.access(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return false;
    throw error;
  }
}

async function kind(path: string): ReturnType<Files["kind"]> {
  const stat = await lstatIfExists(path);
  if (stat === null) return null;
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isDirectory()) return "directory";
  return stat.isFile() ? "file" : "other";
}

/** Of the path itself, not of what a symbolic link points to. */
async function lstatIfExists(path: string): Promise<Awaited<ReturnType<typeof fs.lstat>> | null> {
  try {
    return await fs.lstat(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

async function writeSynced(path: string, flags: number, text: string): Promise<void> {
  const file = await fs.open(path, flags, 0o644);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** A new name is on the disk only when its directory is (fsync(2)). */
async function syncDirectory(path: string): Promise<void> {
  const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function remove(path: string): Promise<void> {
  const stat = await lstatIfExists(path);
  if (stat === null) return;
  if (!stat.isDirectory()) return fs.rm(path, { force: true });

  // The parent may lie behind a symbolic link, and mountinfo names real paths. The last part is a directory, so not a link.
  const real = join(await fs.realpath(dirname(path)), basename(path));
  const mount = parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8")).findLast(({ target }) =>
    isWithin(target, real),
  );
  if (mount !== undefined) {
    throw new LabError(`will not remove ${path}: ${mount.source} (${mount.type}) is mounted on ${mount.target}`, {
      hint: `umount ${mount.target}, then try again`,
    });
  }
  await removeTree(real);
}

/** rm(1) descends by directory descriptors, so a link planted meanwhile leads nowhere; it is also several times as fast as Node. */
async function removeTree(path: string): Promise<void> {
  const rm = spawn("rm", ["-rf", "--one-file-system", "--", path], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  rm.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = (complaint + text).slice(0, 2000)));
  const [code] = (await once(rm, "close")) as [number | null];
  if (code !== 0) throw new LabError(`cannot remove ${path}: ${complaint.trim() || `rm ended with ${code}`}`);
}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && typeof error.code === "string")) throw error;
    const hint = HINTS[error.code];
    if (hint === undefined) throw error;
    throw new LabError(`cannot change ${path}: ${error.code}`, { hint, exit: ExitCode.failed, cause: error });
  }
}

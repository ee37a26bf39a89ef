import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { ExitCode, LabError } from "../model/error.ts";
import type { Lock } from "./host.ts";
import { LOCK_EX, LOCK_NB, flock, hasCode } from "./syscalls.ts";

/**
 * Takes the lock on the file, which is made when it is missing and then holds this process' pid; null: somebody else has it.
 * The kernel lets go when the descriptor is closed, so also when this process dies; children do not inherit it,
 * because Node opens every file with O_CLOEXEC.
 */
export function tryLock(path: string): Lock | null {
  for (;;) {
    const fd = open(path);
    let kept = false;
    try {
      flock(fd, LOCK_EX | LOCK_NB);
      // Whoever held it may have removed the file in between: then this lock is on a file that nobody else will find.
      if (!isSameFile(fd, path)) continue;
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`, 0);
      kept = true;
      return lockOn(fd);
    } catch (error) {
      if (hasCode(error, "EAGAIN")) return null;
      throw error;
    } finally {
      if (!kept) closeSync(fd);
    }
  }
}

function open(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  } catch (cause) {
    if (!hasCode(cause, "EACCES", "EPERM", "EROFS")) throw cause;
    throw new LabError(`cannot write the lock ${path}`, { hint: "run it as root", exit: ExitCode.unavailable, cause });
  }
}

function lockOn(fd: number): Lock {
  let held = true;
  return {
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

function isSameFile(fd: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(fd);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

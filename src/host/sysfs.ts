import { closeSync, readFileSync, writeFileSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { LabError } from "../model/error.ts";
import { hasCode, koffi } from "./syscalls.ts";

/** linux/mount.h */
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;

interface MountCalls {
  fsopen: (type: string, flags: number) => number;
  fsconfig: (fd: number, command: number, key: null, value: null, auxiliary: number) => number;
  fsmount: (fd: number, flags: number, attributes: number) => number;
}

let loadedCalls: MountCalls | undefined;

function calls(): MountCalls {
  if (loadedCalls === undefined) {
    const libc = koffi().load("libc.so.6");
    loadedCalls = {
      fsopen: libc.func("int fsopen(const char *, unsigned int)"),
      fsconfig: libc.func("int fsconfig(int, unsigned int, const char *, const void *, int)"),
      fsmount: libc.func("int fsmount(int, unsigned int, unsigned int)"),
    };
  }
  return loadedCalls;
}

/**
 * The devices of the network namespace that the calling thread is in. /sys shows those of the namespace in which it was
 * mounted, so this is a mount of its own, attached to no directory: nobody else sees it, and it goes with its descriptor.
 */
export class NetworkSysfs {
  readonly #fd: number;

  /** Throws LabError without the right to mount, or before Linux 5.2. */
  constructor() {
    const { fsopen, fsconfig, fsmount } = calls();
    const context = check(fsopen("sysfs", FSOPEN_CLOEXEC), "fsopen");
    try {
      check(fsconfig(context, FSCONFIG_CMD_CREATE, null, null, 0), "fsconfig");
      this.#fd = check(fsmount(context, FSMOUNT_CLOEXEC, 0), "fsmount");
    } finally {
      closeSync(context);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Text of a file of an interface, such as `queues/rx-0/rps_cpus`; null: it has none, or is no more. */
  read(link: string, file: string): string | null {
    try {
      return readFileSync(this.#path(link, file), "utf8");
    } catch (error) {
      // ENODEV: the interface went between opening and reading.
      if (hasCode(error, "ENOENT") || hasCode(error, "ENODEV")) return null;
      throw error;
    }
  }

  /** Throws LabError when the kernel does not take it. */
  write(link: string, file: string, text: string): void {
    try {
      writeFileSync(this.#path(link, file), text);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "failed";
      throw new LabError(`writing ${JSON.stringify(text)} to ${file} of interface ${link}: ${code}`, { cause });
    }
  }

  #path(link: string, file: string): string {
    return `/proc/self/fd/${this.#fd}/class/net/${link}/${file}`;
  }
}

function check(result: number, call: string): number {
  if (result >= 0) return result;
  throw new LabError(`a sysfs of a network namespace: ${call}: ${getSystemErrorName(-koffi().errno())}`, {
    hint: "it needs root and Linux 5.2 or later",
  });
}

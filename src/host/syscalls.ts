import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";

/** From the kernel's uapi headers: linux/sched.h, linux/mount.h, linux/fs.h, sys/file.h. */
export const CLONE_NEWNET = 0x40000000;
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_REMOUNT = 32;
export const MS_BIND = 4096;
export const MS_REC = 16384;
export const MS_PRIVATE = 1 << 18;
export const MS_SHARED = 1 << 20;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;
export const LOCK_EX = 2;
export const LOCK_NB = 4;

interface Calls {
  setns(fd: number, kind: number): number;
  unshare(flags: number): number;
  mount(source: string | null, target: string, type: string | null, flags: number, data: string | null): number;
  umount2(target: string, flags: number): number;
  flock(fd: number, operation: number): number;
}

type Koffi = typeof import("koffi");

let loadedKoffi: Koffi | undefined;
let loadedCalls: Calls | undefined;

/** koffi, loaded when first needed: a command that makes no system call must not pay its 20 ms. */
export function koffi(): Koffi {
  loadedKoffi ??= createRequire(import.meta.url)("koffi") as Koffi;
  return loadedKoffi;
}

function calls(): Calls {
  if (loadedCalls === undefined) {
    const libc = koffi().load("libc.so.6");
    loadedCalls = {
      setns: libc.func("int setns(int, int)"),
      unshare: libc.func("int unshare(int)"),
      mount: libc.func("int mount(const char *, const char *, const char *, unsigned long, const char *)"),
      umount2: libc.func("int umount2(const char *, int)"),
      flock: libc.func("int flock(int, int)"),
    };
  }
  return loadedCalls;
}

/** A system call that the kernel refused. `code` is errno's name (`EBUSY`), as in Node's own errors. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** `describe` is called on failure only. */
function check(result: number, describe: () => string): void {
  if (result === 0) return;
  const code = getSystemErrorName(-koffi().errno());
  throw new SystemCallError(describe(), code);
}

/** Moves the calling thread, and no other, into the namespace that the descriptor stands for. Throws SystemCallError. */
export function setns(fd: number, kind: number): void {
  check(calls().setns(fd, kind), () => "setns");
}

/** Gives the calling thread, and no other, new namespaces. Throws SystemCallError. */
export function unshare(flags: number): void {
  check(calls().unshare(flags), () => "unshare");
}

/** mount(2). Throws SystemCallError. */
export function mount(
  source: string | null,
  target: string,
  type: string | null,
  flags: number,
  data: string | null = null,
): void {
  check(calls().mount(source, target, type, flags, data), () => `mount ${type ?? ""} on ${target}`.replace("  ", " "));
}

/** umount2(2). Throws SystemCallError. */
export function umount(target: string, flags: number): void {
  check(calls().umount2(target, flags), () => `unmount ${target}`);
}

/** flock(2). Throws SystemCallError; EAGAIN: somebody else holds it. */
export function flock(fd: number, operation: number): void {
  check(calls().flock(fd, operation), () => "flock");
}

/** Whether the error carries one of these errno names, whoever raised it. */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

import { closeSync, constants, openSync } from "node:fs";
import { getSystemErrorName } from "node:util";
import { ExitCode, LabError } from "../model/error.ts";
import type { LinkRef } from "./netlink-request.ts";
import { hasCode, koffi } from "./syscalls.ts";

/** linux/if_tun.h; each is _IOW('T', n, int), whatever its argument is. */
const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETIFINDEX = 0x400454da;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;

/** struct ifreq on 64-bit machines: the name (IFNAMSIZ), then a union of which the flags are used. */
const IFREQ_BYTES = 40;
const FLAGS_OFFSET = 16;

/**
 * Makes a tap in the network namespace that the calling thread is in. It stays when nobody holds its other end, so that
 * a guest finds it in its place, with all that was set on it. Throws LabError when the kernel refuses.
 */
export function createTap({ name, index }: LinkRef): void {
  const ioctl = koffi().load("libc.so.6").func("int ioctl(int, unsigned long, void *)");
  const ioctlNumber = koffi().load("libc.so.6").func("int ioctl(int, unsigned long, long)");
  const fd = openDevice();
  try {
    const wantedIndex = Buffer.alloc(4);
    wantedIndex.writeInt32LE(index);
    const request = Buffer.alloc(IFREQ_BYTES);
    request.write(name, "latin1");
    request.writeInt16LE(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, FLAGS_OFFSET);
    check(ioctl(fd, TUNSETIFINDEX, wantedIndex) as number, name);
    check(ioctl(fd, TUNSETIFF, request) as number, name);
    check(ioctlNumber(fd, TUNSETPERSIST, 1) as number, name);
  } finally {
    closeSync(fd);
  }
}

function openDevice(): number {
  try {
    return openSync("/dev/net/tun", constants.O_RDWR);
  } catch (cause) {
    if (!hasCode(cause, "ENOENT", "ENODEV", "EACCES", "EPERM", "ENXIO")) throw cause;
    throw new LabError(`/dev/net/tun cannot be opened: ${(cause as NodeJS.ErrnoException).code}`, {
      hint: "modprobe tun, and run as root: interfaces of virtual machines are taps",
      exit: ExitCode.unavailable,
      cause,
    });
  }
}

function check(result: number, name: string): void {
  if (result >= 0) return;
  throw new LabError(`adding tap ${name}: ${getSystemErrorName(-koffi().errno())}`);
}

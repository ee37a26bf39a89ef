import { constants } from "node:os";
import { koffi } from "./syscalls.ts";

/** From the kernel's uapi headers; the same on x86-64 and arm64. */
export const AF_INET = 2;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_RCVBUFFORCE = 33;

/** Of two names for one number the first: EAGAIN, not EWOULDBLOCK. */
const ERRNO_NAMES = new Map(
  Object.entries(constants.errno)
    .toReversed()
    .map(([name, errno]) => [errno, name]),
);

/** Pointers are plain numbers: koffi passes those without looking at them. Results below 0: see `errorName`. */
interface PacketCalls {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  connect(fd: number, address: number, length: number): number;
  getsockname(fd: number, address: number, length: number): number;
  sendto(fd: number, bytes: number, length: number, flags: number, address: number, addressLength: number): number;
  recv(fd: number, bytes: number, length: number, flags: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  poll(fds: number, count: number, timeoutMs: number): number;
  close(fd: number): number;
  setsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: number, length: number): number;
}

/** Memory outside the JavaScript heap: its address never changes. */
export interface NativeMemory {
  address: number;
  bytes: Uint8Array;
  view: DataView;
}

let bound: PacketCalls | undefined;
let scratch: NativeMemory | undefined;

/** libc's socket calls, bound when first needed. */
export function packetCalls(): PacketCalls {
  if (bound === undefined) {
    const libc = koffi().load("libc.so.6");
    bound = {
      socket: libc.func("socket", "int", ["int", "int", "int"]),
      bind: libc.func("bind", "int", ["int", "intptr_t", "int"]),
      connect: libc.func("connect", "int", ["int", "intptr_t", "int"]),
      getsockname: libc.func("getsockname", "int", ["int", "intptr_t", "intptr_t"]),
      sendto: libc.func("sendto", "int", ["int", "intptr_t", "size_t", "int", "intptr_t", "int"]),
      recv: libc.func("recv", "int", ["int", "intptr_t", "size_t", "int"]),
      recvmmsg: libc.func("recvmmsg", "int", ["int", "intptr_t", "int", "int", "intptr_t"]),
      poll: libc.func("poll", "int", ["intptr_t", "ulong", "int"]),
      close: libc.func("close", "int", ["int"]),
      setsockopt: libc.func("setsockopt", "int", ["int", "int", "int", "intptr_t", "int"]),
      getsockopt: libc.func("getsockopt", "int", ["int", "int", "int", "intptr_t", "intptr_t"]),
    };
  }
  return bound;
}

/** Zeroed; never freed: every user keeps the same few blocks for the life of the thread. */
export function allocateNative(length: number): NativeMemory {
  const pointer: unknown = koffi().alloc("uint8_t", length);
  const buffer = koffi().view(pointer, length);
  const bytes = new Uint8Array(buffer).fill(0);
  return { address: Number(koffi().address(pointer)), bytes, view: new DataView(buffer) };
}

/** A block for the arguments of one call; whatever is called next may overwrite it. */
export function scratchMemory(): NativeMemory {
  return (scratch ??= allocateNative(65_536 + 512));
}

/** Errno name of the call that failed last. */
export function errorName(): string {
  return nameOfErrno(koffi().errno());
}

/** `EINPROGRESS` of 115; util.getSystemErrorName lacks some. */
export function nameOfErrno(errno: number): string {
  return ERRNO_NAMES.get(errno) ?? `errno ${errno}`;
}

/** setsockopt of one int; false: refused. */
export function setIntOption(fd: number, level: number, option: number, value: number): boolean {
  const memory = scratchMemory();
  memory.view.setInt32(0, value, true);
  return packetCalls().setsockopt(fd, level, option, memory.address, 4) === 0;
}

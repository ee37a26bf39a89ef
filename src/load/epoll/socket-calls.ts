import { koffi } from "../../host/syscalls.ts";

/** From the kernel's uapi headers; the same on x86-64 and arm64. */
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const SOL_SOCKET = 1;
const SO_ERROR = 4;
export const SO_LINGER = 13;
export const SOL_RAW = 255;
export const ICMP_FILTER = 1;
export const MSG_NOSIGNAL = 0x4000;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 1 << 31;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0o2000000;
const PR_SET_TIMERSLACK = 29;
const RUSAGE_THREAD = 1;

/** Calls into libc. Pointers are plain numbers: koffi passes those without looking at them, 20 ns a call. Results below 0: see `errno`. */
export interface SocketCalls {
  socket(family: number, type: number, protocol: number): number;
  connect(fd: number, address: number, length: number): number;
  send(fd: number, bytes: number, length: number, flags: number): number;
  sendto(fd: number, bytes: number, length: number, flags: number, address: number, addressLength: number): number;
  recv(fd: number, bytes: number, length: number, flags: number): number;
  close(fd: number): number;
  setsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  epollCtl(epoll: number, operation: number, fd: number, event: number): number;
  epollWait(epoll: number, events: number, capacity: number, timespec: number): number;
  epollCreate(): number;
  /** CPU time that the calling thread has used, ns. */
  threadCpuNs(): number;
  /** Makes the calling thread's timers exact: by default the kernel may fire them 50 µs late (prctl(2)). */
  exactTimers(): void;
  errno(): number;
}

/** Memory outside the JavaScript heap: its address never changes. */
export interface Memory {
  address: number;
  bytes: Uint8Array;
  words: Int32Array;
  view: DataView;
}

/** Zeroed; never freed, as a client process has the same few blocks all its life. */
export function allocateMemory(length: number): Memory {
  const pointer: unknown = koffi().alloc("uint8_t", length);
  const buffer = koffi().view(pointer, length);
  const bytes = new Uint8Array(buffer).fill(0);
  return {
    address: Number(koffi().address(pointer)),
    bytes,
    words: new Int32Array(buffer, 0, Math.floor(length / 4)),
    view: new DataView(buffer),
  };
}

/** Binds the calls, and tries them: throws when koffi or glibc (2.35 for epoll_pwait2) is too old. */
export function bindSocketCalls(): SocketCalls {
  const libc = koffi().load("libc.so.6");
  const epollCreate1 = libc.func("int epoll_create1(int)");
  const epollPwait2 = libc.func("epoll_pwait2", "int", ["int", "intptr_t", "int", "intptr_t", "intptr_t"]);
  const getrusage = libc.func("getrusage", "int", ["int", "intptr_t"]);
  const prctl = libc.func("prctl", "int", ["int", "ulong", "ulong", "ulong", "ulong"]);
  const usage = allocateMemory(256);
  return {
    socket: libc.func("socket", "int", ["int", "int", "int"]),
    connect: libc.func("connect", "int", ["int", "intptr_t", "int"]),
    send: libc.func("send", "int", ["int", "intptr_t", "size_t", "int"]),
    sendto: libc.func("sendto", "int", ["int", "intptr_t", "size_t", "int", "intptr_t", "int"]),
    recv: libc.func("recv", "int", ["int", "intptr_t", "size_t", "int"]),
    close: libc.func("close", "int", ["int"]),
    setsockopt: libc.func("setsockopt", "int", ["int", "int", "int", "intptr_t", "int"]),
    getsockopt: libc.func("getsockopt", "int", ["int", "int", "int", "intptr_t", "intptr_t"]),
    epollCtl: libc.func("epoll_ctl", "int", ["int", "int", "int", "intptr_t"]),
    epollWait: (epoll, events, capacity, timespec) => epollPwait2(epoll, events, capacity, timespec, 0) as number,
    epollCreate: () => epollCreate1(EPOLL_CLOEXEC) as number,
    threadCpuNs: () => {
      getrusage(RUSAGE_THREAD, usage.address);
      // ru_utime, then ru_stime: seconds and microseconds, 8 bytes each.
      const word = (at: number): number => Number(usage.view.getBigInt64(at, true));
      return (word(0) + word(16)) * 1e9 + (word(8) + word(24)) * 1e3;
    },
    exactTimers: () => {
      prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    },
    errno: () => koffi().errno(),
  };
}

/** struct sockaddr_in. The address is dotted decimal. */
export function socketAddress(address: string, port: number): Memory {
  const memory = allocateMemory(16);
  memory.view.setUint16(0, AF_INET, true);
  memory.view.setUint16(2, port, false);
  memory.bytes.set(address.split(".").map(Number), 4);
  return memory;
}

/** SO_ERROR, which reading clears: the errno of what went wrong with a socket, or 0. `option`: two ints of memory. */
export function takeSocketError(calls: SocketCalls, fd: number, option: Memory): number {
  option.words[0] = 0;
  option.words[1] = 4;
  calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, option.address, option.address + 4);
  return option.words[0];
}

import { getSystemErrorName, promisify } from "node:util";
import { ExitCode, LabError } from "../model/error.ts";
import { koffi } from "./syscalls.ts";

/** Carries datagrams to the kernel and back; a test puts its own in the socket's place. */
export interface NetlinkTransport {
  send(datagram: Uint8Array): void;
  /** As `send`, on another thread: the kernel does the work of a request before `send` returns. */
  sendInBackground(datagram: Uint8Array): Promise<void>;
  /** The next datagram; valid until the next call, on this or another transport of the thread. */
  receive(): Buffer;
  /** While on, dumps list only what the request's own fields say (NETLINK_GET_STRICT_CHK, Linux 4.20), else all. */
  filterDumps(on: boolean): void;
  close(): void;
}

/** linux/netlink.h */
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_TRUNC = 0x20;

/** The kernel answers at once; it is silent for long only when something holds the rtnl lock. */
const ANSWER_TIMEOUT_S = 30n;
/** Larger than any datagram of a dump: the kernel uses pages of 32 KiB at most for it (netlink_dump). */
const RECEIVE_BYTES = 128 * 1024;
/** Answers of a batch wait in it. */
const SOCKET_BUFFER_BYTES = 1024 * 1024;

interface SocketCalls {
  socket: (family: number, type: number, protocol: number) => number;
  setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number | bigint;
  sendInBackground: (fd: number, bytes: Uint8Array, length: number, flags: number) => Promise<number | bigint>;
  recv: (fd: number, bytes: Uint8Array, length: number, flags: number) => number | bigint;
  close: (fd: number) => number;
}

let loadedCalls: SocketCalls | undefined;

/** One for all sockets of the thread: a large lab has hundreds. */
let receiveBuffer: Buffer | undefined;

function calls(): SocketCalls {
  if (loadedCalls === undefined) {
    const libc = koffi().load("libc.so.6");
    // koffi knows no ssize_t; intptr_t is as wide.
    const send = libc.func("intptr_t send(int, const void *, size_t, int)");
    loadedCalls = {
      socket: libc.func("int socket(int, int, int)"),
      setsockopt: libc.func("int setsockopt(int, int, int, const void *, uint32_t)"),
      send,
      sendInBackground: promisify(send.async) as SocketCalls["sendInBackground"],
      recv: libc.func("intptr_t recv(int, void *, size_t, int)"),
      close: libc.func("int close(int)"),
    };
  }
  return loadedCalls;
}

function errorName(): string {
  return getSystemErrorName(-koffi().errno());
}

function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/**
 * A netlink socket in the network namespace that the calling thread is in now; it stays there when the thread leaves.
 * Blocks while the kernel works. Throws LabError.
 */
export function openNetlinkTransport(protocol: number): NetlinkTransport {
  const { socket, setsockopt, send, sendInBackground, recv, close } = calls();
  const fail = (what: string): never => {
    const code = errorName();
    throw new LabError(
      `netlink ${what}: ${code}`,
      code === "EPERM" ? { hint: "run it as root", exit: ExitCode.unavailable } : {},
    );
  };
  const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) fail("socket");

  const set = (level: number, option: number, value: Uint8Array): boolean =>
    setsockopt(fd, level, option, value, value.length) === 0;
  // Without the right to force it the default of 208 KiB stays, which fewer answers fill.
  set(SOL_SOCKET, SO_RCVBUFFORCE, int32(SOCKET_BUFFER_BYTES));
  set(SOL_SOCKET, SO_SNDBUFFORCE, int32(SOCKET_BUFFER_BYTES));
  const ready =
    set(SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(BigInt64Array.of(ANSWER_TIMEOUT_S, 0n).buffer)) &&
    set(SOL_NETLINK, NETLINK_EXT_ACK, int32(1)) &&
    set(SOL_NETLINK, NETLINK_CAP_ACK, int32(1));
  if (!ready) {
    close(fd);
    fail("socket options");
  }

  const buffer = (receiveBuffer ??= Buffer.allocUnsafe(RECEIVE_BYTES));
  return {
    send(datagram) {
      if (Number(send(fd, datagram, datagram.length, 0)) !== datagram.length) fail("send");
    },
    async sendInBackground(datagram) {
      // Its errno stays with the other thread.
      if (Number(await sendInBackground(fd, datagram, datagram.length, 0)) !== datagram.length) {
        throw new LabError("netlink send: the kernel does not take it");
      }
    },
    receive() {
      for (;;) {
        const length = Number(recv(fd, buffer, buffer.length, MSG_TRUNC));
        if (length > buffer.length)
          throw new LabError(`netlink: an answer of ${length} bytes, more than any known kernel's`);
        if (length >= 0) return buffer.subarray(0, length);
        const code = errorName();
        if (code === "EAGAIN")
          throw new LabError(`the kernel has not answered a network request for ${ANSWER_TIMEOUT_S} s`);
        if (code !== "EINTR") fail("receive");
      }
    },
    filterDumps(on) {
      if (!set(SOL_NETLINK, NETLINK_GET_STRICT_CHK, int32(Number(on)))) fail("filter of dumps");
    },
    close() {
      close(fd);
    },
  };
}

import { ExitCode, LabError } from "../model/error.ts";
import { addressBytes, AF_INET6 } from "./netlink-address.ts";
import {
  AF_INET,
  errorName,
  nameOfErrno,
  packetCalls,
  scratchMemory,
  setIntOption,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  type NativeMemory,
} from "./packet-calls.ts";

const IPPROTO_IP = 0;
const IPPROTO_ICMP = 1;
const IPPROTO_IPV6 = 41;
const IPPROTO_ICMPV6 = 58;
const IP_MTU_DISCOVER = 10;
const IP_RECVERR = 11;
const IPV6_MTU_DISCOVER = 23;
const IPV6_RECVERR = 25;
const IPV6_DONTFRAG = 62;
/** Path MTU discovery: never DF; as the namespace is set; DF, and what was learned of the path does not count (ip(7)). */
const PMTUDISC_DONT = 0;
const PMTUDISC_WANT = 1;
const PMTUDISC_PROBE = 3;
export const SO_ERROR = 4;
export const SO_LINGER = 13;
const SO_RCVBUF = 8;
export const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
const POLLOUT = 4;
/** Where the packet stands in the scratch memory, behind the address. */
const PACKET_AT = 32;
const ECHO_BUFFER_BYTES = 4 * 1024 * 1024;

/** Messages read in a row; what is left is told again. */
const TAKEN_AT_ONCE = 1000;

const FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC;

function open(family: number, type: number, protocol: number): number {
  const fd = packetCalls().socket(family, type | FLAGS, protocol);
  if (fd >= 0) return fd;
  const code = errorName();
  const hints: Record<string, string> = {
    EPERM: "run it as root",
    EMFILE: "allow more open files: ulimit -n 20000",
    EAFNOSUPPORT: "this kernel has no IPv6",
  };
  const hint = hints[code];
  throw new LabError(`a socket was refused: ${code}`, hint === undefined ? {} : { hint, exit: ExitCode.unavailable });
}

/** Family, type and protocol of a socket for ICMP or ICMPv6. */
export function icmpSocketKind(version: 4 | 6): [number, number, number] {
  return version === 6 ? [AF_INET6, SOCK_RAW, IPPROTO_ICMPV6] : [AF_INET, SOCK_RAW, IPPROTO_ICMP];
}

/** An option of a socket: level, name, value. */
type IntOption = [number, number, number];

/** What says whether the packets that it sends may be fragmented; undefined: as the namespace is set. */
export function fragmentOptions(version: 4 | 6, dontFragment: boolean | undefined): IntOption[] {
  const discovery = dontFragment === undefined ? PMTUDISC_WANT : dontFragment ? PMTUDISC_PROBE : PMTUDISC_DONT;
  return version === 4
    ? [[IPPROTO_IP, IP_MTU_DISCOVER, discovery]]
    : [
        [IPPROTO_IPV6, IPV6_MTU_DISCOVER, discovery],
        [IPPROTO_IPV6, IPV6_DONTFRAG, dontFragment === true ? 1 : 0],
      ];
}

/** What has every ICMP error told, not only that a port is unreachable. */
export function errorOption(family: number): IntOption {
  return family === AF_INET6 ? [IPPROTO_IPV6, IPV6_RECVERR, 1] : [IPPROTO_IP, IP_RECVERR, 1];
}

/** struct sockaddr_in or sockaddr_in6. */
export function socketAddress(address: string, port: number): Uint8Array {
  const { family, bytes: raw } = addressBytes(address);
  const bytes = new Uint8Array(family === AF_INET6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  bytes.set(raw, family === AF_INET6 ? 8 : 4);
  return bytes;
}

/** Written to the start of the memory. Its length. */
function writeAddress({ bytes }: NativeMemory, address: string, port: number): number {
  const name = socketAddress(address, port);
  bytes.set(name);
  return name.length;
}

/** Sends and receives ICMP or ICMPv6 messages with the IP stack of the namespace it was opened in. */
export interface IcmpSocket {
  fd: number;
  /** null: sent; else the errno name. `dontFragment` undefined: as the namespace is set. */
  send(address: string, message: Uint8Array, dontFragment?: boolean): string | null;
  /** Hands over what has come: an IPv4 packet with its header, or a bare ICMPv6 message. Valid until the next call. */
  receive(take: (bytes: Uint8Array) => void): void;
  close(): void;
}

/** Opens it in the namespace that the calling thread is in. Throws LabError. */
export function openIcmpSocket(version: 4 | 6): IcmpSocket {
  const calls = packetCalls();
  const fd = open(...icmpSocketKind(version));
  setIntOption(fd, SOL_SOCKET, SO_RCVBUF, ECHO_BUFFER_BYTES);
  const fragment = (dontFragment: boolean | undefined) => {
    for (const [level, option, value] of fragmentOptions(version, dontFragment)) setIntOption(fd, level, option, value);
  };
  return {
    fd,
    send(address, message, dontFragment) {
      if (dontFragment !== undefined) fragment(dontFragment);
      const memory = scratchMemory();
      const length = writeAddress(memory, address, 0);
      memory.bytes.set(message, PACKET_AT);
      const sent = calls.sendto(fd, memory.address + PACKET_AT, message.length, MSG_NOSIGNAL, memory.address, length);
      const refusal = sent === message.length ? null : errorName();
      if (dontFragment !== undefined) fragment(undefined);
      return refusal;
    },
    receive(take) {
      const memory = scratchMemory();
      for (let taken = 0; taken < TAKEN_AT_ONCE; taken++) {
        const length = calls.recv(fd, memory.address, memory.bytes.length, 0);
        if (length >= 0) take(memory.bytes.subarray(0, length));
        // Any other error is one of an earlier packet, taken by this very call.
        else if (errorName() === "EAGAIN") return;
      }
    },
    close: () => void calls.close(fd),
  };
}

/** A TCP connection that is tried, or a UDP socket that knows one peer. */
export interface DialledSocket {
  fd: number;
  localPort: number;
  /** null: on its way; else the errno name of a refusal at once. */
  refusal: string | null;
  /** null: sent; else the errno name. UDP only. */
  send(data: Uint8Array): string | null;
  /** How it stands: null is open or answered, else the errno name. Reading clears it. */
  takeError(): string | null;
  /** Whether a datagram has come; takes it. UDP only; errors are left to `takeError`. */
  takeDatagram(): boolean;
  /** What to wait for. */
  pollMask: number;
  close(): void;
}

/** Begins a connection from the namespace that the calling thread is in, and never waits. Closing it resets it, so that no port stays in TIME_WAIT. Throws LabError. */
export function dial(protocol: "tcp" | "udp", address: string, port: number): DialledSocket {
  const calls = packetCalls();
  const { family } = addressBytes(address);
  const fd = open(family, protocol === "tcp" ? SOCK_STREAM : SOCK_DGRAM, 0);
  const memory = scratchMemory();
  if (protocol === "tcp") {
    memory.view.setInt32(0, 1, true);
    memory.view.setInt32(4, 0, true);
    calls.setsockopt(fd, SOL_SOCKET, SO_LINGER, memory.address, 8);
  } else {
    setIntOption(fd, ...errorOption(family));
  }
  const length = writeAddress(memory, address, port);
  const connected = calls.connect(fd, memory.address, length);
  const code = connected === 0 ? null : errorName();
  memory.view.setInt32(PACKET_AT, 28, true);
  calls.getsockname(fd, memory.address, memory.address + PACKET_AT);
  return {
    fd,
    localPort: memory.view.getUint16(2),
    refusal: code === "EINPROGRESS" ? null : code,
    pollMask: protocol === "tcp" ? POLLOUT : POLLIN,
    send(data) {
      const { bytes, address: at } = scratchMemory();
      bytes.set(data);
      return calls.sendto(fd, at, data.length, MSG_NOSIGNAL, 0, 0) === data.length ? null : errorName();
    },
    takeError() {
      const { view, address: at } = scratchMemory();
      view.setInt32(0, 0, true);
      view.setInt32(4, 4, true);
      calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, at, at + 4);
      const errno = view.getInt32(0, true);
      return errno === 0 ? null : nameOfErrno(errno);
    },
    takeDatagram() {
      const { bytes, address: at } = scratchMemory();
      return calls.recv(fd, at, bytes.length, 0) >= 0;
    },
    close: () => void calls.close(fd),
  };
}

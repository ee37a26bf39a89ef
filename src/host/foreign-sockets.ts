import type { Deed, KernelAnswer, KernelCall } from "./foreign-kernel.ts";
import { refusalOf } from "./foreign-kernel.ts";
import {
  errorOption,
  fragmentOptions,
  icmpSocketKind,
  MSG_NOSIGNAL,
  SO_ERROR,
  SO_LINGER,
  socketAddress,
} from "./internet-socket.ts";
import { addressBytes } from "./netlink-address.ts";
import { NETLINK_ROUTE } from "./netlink-transport.ts";
import {
  AF_PACKET,
  nameOfErrno,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./packet-calls.ts";
import { linkAddress } from "./packet-socket.ts";
import { foundRoute, routeRequest, type FoundRoute } from "./route-lookup.ts";

/** asm/unistd_64.h */
const CALL = {
  close: 3,
  poll: 7,
  ioctl: 16,
  socket: 41,
  connect: 42,
  sendto: 44,
  recvfrom: 45,
  getsockname: 51,
  setsockopt: 54,
  getsockopt: 55,
};

const AF_NETLINK = 16;
/** linux/sockios.h */
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const IFREQ_BYTES = 40;
const IFREQ_AT = 16;

/** Headers, and the mark of a packet that an error quotes. */
const ICMP_BYTES = 256;
const TAKEN_AT_ONCE = 24;
const ECHO_BUFFER_BYTES = 2 ** 20;
const NETLINK_BYTES = 1024;

/** A descriptor, or the call of the same deed that opens it. */
type Descriptor = number | { resultOf: number };

const int32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

function option(fd: Descriptor, [level, name, value]: readonly [number, number, number]): KernelCall {
  return { number: CALL.setsockopt, args: [fd, level, name, int32(value), 4] };
}

function sendTo(fd: Descriptor, bytes: Uint8Array, to: Uint8Array | null): KernelCall {
  const name = to === null ? [0, 0] : [to, to.length];
  return { number: CALL.sendto, args: [fd, bytes, bytes.length, MSG_NOSIGNAL, ...name] };
}

/** Opens what an asker sends by: an ICMP socket of a version, a packet socket, a netlink socket for routes. */
export function openSocket(kind: "icmp4" | "icmp6" | "packet" | "routes", take: (fd: number) => void): Deed {
  const [family, type, protocol] =
    kind === "packet"
      ? [AF_PACKET, SOCK_RAW, 0]
      : kind === "routes"
        ? [AF_NETLINK, SOCK_RAW, NETLINK_ROUTE]
        : icmpSocketKind(kind === "icmp4" ? 4 : 6);
  return {
    calls: [
      { number: CALL.socket, args: [family, type | SOCK_NONBLOCK, protocol] },
      option({ resultOf: 0 }, [SOL_SOCKET, SO_RCVBUFFORCE, ECHO_BUFFER_BYTES]),
    ],
    take: ([opened]) => take(opened?.result ?? -1),
  };
}

/** null: sent; else the errno name. */
export function sendEcho(
  fd: number,
  version: 4 | 6,
  { address, message, dontFragment }: { address: string; message: Uint8Array; dontFragment: boolean | undefined },
  take: (refusal: string | null) => void,
): Deed {
  const around = dontFragment === undefined ? [] : fragmentOptions(version, dontFragment);
  const after = dontFragment === undefined ? [] : fragmentOptions(version, undefined);
  return {
    calls: [
      ...around.map((one) => option(fd, one)),
      sendTo(fd, message, socketAddress(address, 0)),
      ...after.map((one) => option(fd, one)),
    ],
    take: (answers) => take(refusalOf(answers[around.length])),
  };
}

/** Sends a frame as it is. null: sent; else the errno name. */
export function sendFrame(
  fd: number,
  linkIndex: number,
  frame: Uint8Array,
  take: (refusal: string | null) => void,
): Deed {
  return { calls: [sendTo(fd, frame, linkAddress(linkIndex))], take: ([sent]) => take(refusalOf(sent)) };
}

/** As `dial` of this machine's own sockets; for UDP with a first datagram. */
export function dialForeign(
  { address, port, datagram }: { address: string; port: number; datagram: Uint8Array | null },
  take: (dialled: { fd: number; localPort: number; refusal: string | null }) => void,
): Deed {
  const fd = { resultOf: 0 };
  const { family } = addressBytes(address);
  const name = socketAddress(address, port);
  const own = new Uint8Array(28);
  const type = datagram === null ? SOCK_STREAM : SOCK_DGRAM;
  return {
    calls: [
      { number: CALL.socket, args: [family, type | SOCK_NONBLOCK, 0] },
      datagram === null
        ? { number: CALL.setsockopt, args: [fd, SOL_SOCKET, SO_LINGER, new Uint8Array(Int32Array.of(1, 0).buffer), 8] }
        : option(fd, errorOption(family)),
      { number: CALL.connect, args: [fd, name, name.length] },
      { number: CALL.getsockname, args: [fd, own, int32(own.length)] },
      ...(datagram === null ? [] : [sendTo(fd, datagram, null)]),
    ],
    take: ([opened, , connected, named, sent]) => {
      const refused = refusalOf(opened) ?? refusalOf(connected);
      take({
        fd: opened?.result ?? -1,
        localPort: named?.bytes[0]?.readUInt16BE(2) ?? 0,
        refusal: refused === "EINPROGRESS" || refused === null ? refusalOf(sent) : refused,
      });
    },
  };
}

/** A datagram to a dialled socket's peer. null: sent; else the errno name. */
export function sendDatagram(fd: number, datagram: Uint8Array, take: (refusal: string | null) => void): Deed {
  return { calls: [sendTo(fd, datagram, null)], take: ([sent]) => take(refusalOf(sent)) };
}

/** Takes what a dialled socket has: the errno name of its error, or null; and whether a datagram has come. */
export function readDialled(fd: number, take: (error: string | null, datagram: boolean) => void): Deed {
  return {
    calls: [
      { number: CALL.getsockopt, args: [fd, SOL_SOCKET, SO_ERROR, int32(0), int32(4)] },
      { number: CALL.recvfrom, args: [fd, new Uint8Array(16), 16, 0, 0, 0] },
    ],
    take: ([asked, received]) => {
      const errno = asked?.bytes[0]?.readInt32LE(0) ?? 0;
      take(errno === 0 ? null : nameOfErrno(errno), (received?.result ?? -1) >= 0);
    },
  };
}

/** Takes some of what an ICMP socket has; whether there is more, `pollForeign` tells. */
export function readEchoes(fd: number, take: (bytes: Uint8Array) => void): Deed {
  return {
    calls: Array.from({ length: TAKEN_AT_ONCE }, () => ({
      number: CALL.recvfrom,
      args: [fd, new Uint8Array(ICMP_BYTES), ICMP_BYTES, 0, 0, 0],
    })),
    take: (answers) => {
      for (const { result, bytes } of answers) {
        const [message] = bytes;
        if (result > 0 && message !== undefined) take(message.subarray(0, result));
      }
    },
  };
}

/** Which of the descriptors have something to tell. @param waitMs how long it may wait for one that has */
export function pollForeign(
  fds: readonly { fd: number; mask: number }[],
  waitMs: number,
  take: (ready: Set<number>) => void,
): Deed {
  const entries = Buffer.alloc(fds.length * 8);
  fds.forEach(({ fd, mask }, i) => {
    entries.writeInt32LE(fd, i * 8);
    entries.writeUInt16LE(mask, i * 8 + 4);
  });
  return {
    calls: [{ number: CALL.poll, args: [entries, fds.length, waitMs] }],
    take: ([answer]) => {
      const told = answer?.bytes[0];
      take(new Set(fds.flatMap(({ fd }, i) => (told === undefined || told.readUInt16LE(i * 8 + 6) === 0 ? [] : [fd]))));
    },
  };
}

export function closeForeign(fd: number): Deed {
  return { calls: [{ number: CALL.close, args: [fd] }], take: () => undefined };
}

/** Index and MAC of an interface; null: there is none of that name. */
export function findLink(fd: number, name: string, take: (link: { index: number; mac: string } | null) => void): Deed {
  const request = () => {
    const bytes = Buffer.alloc(IFREQ_BYTES);
    bytes.write(name, 0, IFREQ_AT - 1, "latin1");
    return bytes;
  };
  return {
    calls: [SIOCGIFINDEX, SIOCGIFHWADDR].map((code) => ({ number: CALL.ioctl, args: [fd, code, request()] })),
    take: ([index, mac]) => {
      const [found, address] = [index?.bytes[0], mac?.bytes[0]];
      if (refusalOf(index) !== null || found === undefined || address === undefined) return take(null);
      // Behind the address' family.
      const bytes = address.subarray(IFREQ_AT + 2, IFREQ_AT + 8);
      take({ index: found.readInt32LE(IFREQ_AT), mac: [...bytes].map(hexByte).join(":") });
    },
  };
}

const hexByte = (byte: number): string => byte.toString(16).padStart(2, "0");

/** The kernel's way to an address, by a socket for routes; null: none. */
export function findRoute(
  fd: number,
  address: string,
  sequence: number,
  take: (route: FoundRoute | null) => void,
): Deed {
  return {
    calls: [
      sendTo(fd, routeRequest(address, sequence), null),
      { number: CALL.recvfrom, args: [fd, new Uint8Array(NETLINK_BYTES), NETLINK_BYTES, 0, 0, 0] },
    ],
    take: ([, received]) => take(routeOf(received, sequence)),
  };
}

function routeOf(received: KernelAnswer | undefined, sequence: number): FoundRoute | null {
  const [bytes] = received?.bytes ?? [];
  if (received === undefined || bytes === undefined || received.result <= 0) return null;
  return foundRoute(bytes.subarray(0, received.result), sequence) ?? null;
}

import { ExitCode, LabError } from "../model/error.ts";
import {
  AF_PACKET,
  allocateNative,
  errorName,
  packetCalls,
  scratchMemory,
  setIntOption,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_SOCKET,
  type NativeMemory,
} from "./packet-calls.ts";

/** linux/if_ether.h, in the byte order of the wire as packet(7) wants it. */
const ETH_P_ALL_BE = 0x0300;
/** linux/if_packet.h */
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const PACKET_AUXDATA = 8;
const PACKET_OUTGOING = 4;
const TP_STATUS_VLAN_VALID = 1 << 4;
export const SO_TIMESTAMPNS = 35;
const MSG_DONTWAIT = 0x40;

/** Frames taken with one call. */
const BATCH = 64;
/** Of each frame so many bytes are kept: an ICMP error with the headers and the mark that it quotes. */
const SNAP_BYTES = 384;
/** struct mmsghdr, sockaddr_ll and the control messages (auxiliary data, time) of one frame; 64-bit machines. */
const HEADER_BYTES = 64;
const NAME_BYTES = 32;
const CONTROL_BYTES = 128;
const RECEIVE_BUFFER_BYTES = 32 * 1024 * 1024;

/** A frame that passed an interface. `bytes` are valid until the next call only. */
export interface SeenFrame {
  bytes: Uint8Array;
  linkIndex: number;
  outgoing: boolean;
  /** linux/if_packet.h: 0 for this machine, 1 broadcast, 2 multicast, 3 for another, 4 outgoing. */
  packetType: number;
  /** The tag that the kernel took off the bytes; null: none. */
  vlanTag: number | null;
  /** Wall clock of the kernel, ns. */
  timeNs: bigint;
}

interface Ring {
  headers: NativeMemory;
  names: NativeMemory;
  control: NativeMemory;
  data: NativeMemory;
}

let ring: Ring | undefined;

/** Sees every frame of the network namespace it was opened in, coming and going; sends frames as they are. */
export interface PacketSocket {
  fd: number;
  /** Hands over what has come; never waits. */
  receive(take: (frame: SeenFrame) => void): void;
  /** null: sent; else the errno name. */
  send(linkIndex: number, frame: Uint8Array): string | null;
  /** Frames lost for want of room since the last call. */
  lost(): number;
  close(): void;
}

/** Opens it in the namespace that the calling thread is in. Throws LabError. */
export function openPacketSocket(): PacketSocket {
  const calls = packetCalls();
  const fd = calls.socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, ETH_P_ALL_BE);
  if (fd < 0) {
    const code = errorName();
    throw new LabError(
      `a packet socket was refused: ${code}`,
      code === "EPERM" ? { hint: "run it as root", exit: ExitCode.unavailable } : {},
    );
  }
  // Without the right to force it the default stays, which loses frames sooner; `lost` tells.
  setIntOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
  if (!setIntOption(fd, SOL_PACKET, PACKET_AUXDATA, 1) || !setIntOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1)) {
    const code = errorName();
    calls.close(fd);
    throw new LabError(`a packet socket cannot tell tags and times: ${code}`);
  }
  return {
    fd,
    receive: (take) => receiveFrames(fd, take),
    send(linkIndex, frame) {
      const { bytes, address } = scratchMemory();
      const name = linkAddress(linkIndex);
      bytes.set(name);
      bytes.set(frame, NAME_BYTES);
      const sent = calls.sendto(fd, address + NAME_BYTES, frame.length, 0, address, name.length);
      return sent === frame.length ? null : errorName();
    },
    lost() {
      const { view, address } = scratchMemory();
      view.setUint32(16, 8, true);
      if (calls.getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, address, address + 16) < 0) {
        throw new Error(`PACKET_STATISTICS: ${errorName()}`);
      }
      return view.getUint32(4, true);
    },
    close: () => void calls.close(fd),
  };
}

/** struct sockaddr_ll: by which interface a frame goes out. */
export function linkAddress(linkIndex: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL_BE, true);
  view.setInt32(4, linkIndex, true);
  return bytes;
}

function createRing(): Ring {
  const made = {
    headers: allocateNative(BATCH * HEADER_BYTES),
    names: allocateNative(BATCH * NAME_BYTES),
    control: allocateNative(BATCH * CONTROL_BYTES),
    data: allocateNative(BATCH * (SNAP_BYTES + 16)),
  };
  for (let i = 0; i < BATCH; i++) {
    const { view } = made.headers;
    const at = i * HEADER_BYTES;
    const vector = BATCH * SNAP_BYTES + i * 16;
    made.data.view.setBigUint64(vector, BigInt(made.data.address + i * SNAP_BYTES), true);
    made.data.view.setBigUint64(vector + 8, BigInt(SNAP_BYTES), true);
    view.setBigUint64(at, BigInt(made.names.address + i * NAME_BYTES), true);
    view.setBigUint64(at + 16, BigInt(made.data.address + vector), true);
    view.setBigUint64(at + 24, 1n, true);
    view.setBigUint64(at + 32, BigInt(made.control.address + i * CONTROL_BYTES), true);
  }
  return made;
}

/** Takes what a socket has, without waiting, with the control messages that it was asked for. */
export function receiveFrames(fd: number, take: (frame: SeenFrame) => void): void {
  const { headers, names, control, data } = (ring ??= createRing());
  for (;;) {
    for (let i = 0; i < BATCH; i++) {
      headers.view.setUint32(i * HEADER_BYTES + 8, NAME_BYTES, true);
      headers.view.setBigUint64(i * HEADER_BYTES + 40, BigInt(CONTROL_BYTES), true);
    }
    const count = packetCalls().recvmmsg(fd, headers.address, BATCH, MSG_DONTWAIT, 0);
    if (count < 0) {
      const code = errorName();
      if (code === "EAGAIN" || code === "EINTR") return;
      // An interface went down: told once, and other interfaces go on.
      if (code === "ENETDOWN") continue;
      throw new Error(`recvmmsg: ${code}`);
    }
    for (let i = 0; i < count; i++) {
      const length = headers.view.getUint32(i * HEADER_BYTES + 56, true);
      const packetType = names.view.getUint8(i * NAME_BYTES + 10);
      const controlBytes = Number(headers.view.getBigUint64(i * HEADER_BYTES + 40, true));
      take({
        bytes: data.bytes.subarray(i * SNAP_BYTES, i * SNAP_BYTES + Math.min(length, SNAP_BYTES)),
        linkIndex: names.view.getInt32(i * NAME_BYTES + 4, true),
        packetType,
        outgoing: packetType === PACKET_OUTGOING,
        ...readControl(control.view, i * CONTROL_BYTES, controlBytes),
      });
    }
    if (count < BATCH) return;
  }
}

/** The control messages of one frame (cmsg(3)): length, level, type, then the data, each padded to 8 bytes. */
function readControl(view: DataView, start: number, length: number): { vlanTag: number | null; timeNs: bigint } {
  let vlanTag: number | null = null;
  let timeNs = 0n;
  for (let at = start; at + 16 <= start + length;) {
    const bytes = view.getUint32(at, true);
    const level = view.getInt32(at + 8, true);
    const type = view.getInt32(at + 12, true);
    if (level === SOL_PACKET && type === PACKET_AUXDATA) {
      const tagged = (view.getUint32(at + 16, true) & TP_STATUS_VLAN_VALID) !== 0;
      if (tagged) vlanTag = view.getUint16(at + 32, true) & 0xfff;
    } else if (level === SOL_SOCKET && type === SO_TIMESTAMPNS) {
      timeNs = view.getBigInt64(at + 16, true) * 1_000_000_000n + view.getBigInt64(at + 24, true);
    }
    if (bytes < 16) break;
    at += (bytes + 7) & ~7;
  }
  return { vlanTag, timeNs };
}

import type { Clock } from "./host.ts";
import {
  AF_INET,
  errorName,
  packetCalls,
  scratchMemory,
  setIntOption,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "./packet-calls.ts";
import { receiveFrames, SO_TIMESTAMPNS } from "./packet-socket.ts";

const REST_MS = 3;
const ATTEMPTS = 200;

/**
 * Waits until the kernel notes when frames come. It begins to in a work item of its own, some ms after the first socket
 * asked for it (net_enable_timestamp); until then a frame bears the time at which it is read, which says nothing about
 * the order of two. Without a loopback to try it on it waits a while and hopes.
 */
export async function awaitFrameTimes(clock: Clock, signal?: AbortSignal): Promise<void> {
  const calls = packetCalls();
  const fd = calls.socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket: ${errorName()}`);
  try {
    const { view, address } = scratchMemory();
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, 0);
    view.setUint32(4, 0x7f000001);
    calls.bind(fd, address, 16);
    view.setInt32(32, 16, true);
    calls.getsockname(fd, address, address + 32);
    // To itself.
    calls.connect(fd, address, 16);
    setIntOption(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      calls.sendto(fd, address, 1, 0, 0, 0);
      await clock.sleep(REST_MS, signal);
      const readMs = clock.nowMs();
      let noted = false;
      receiveFrames(fd, ({ timeNs }) => (noted = Number(timeNs / 1_000_000n) < readMs));
      if (noted) return;
    }
  } finally {
    calls.close(fd);
  }
}

import { allocateNative, errorName, packetCalls, type NativeMemory } from "./packet-calls.ts";

const ENTRY_BYTES = 8;
let memory: NativeMemory | undefined;

/** Which of the descriptors have something to tell (poll(2)); never waits. `mask`: POLLIN, POLLOUT; errors always count. */
export function pollNow(sockets: readonly { fd: number; mask: number }[]): Set<number> {
  const bytes = sockets.length * ENTRY_BYTES;
  if (memory === undefined || memory.bytes.length < bytes) memory = allocateNative(Math.max(4096, bytes * 2));
  const { view, address } = memory;
  sockets.forEach(({ fd, mask }, i) => {
    view.setInt32(i * ENTRY_BYTES, fd, true);
    view.setUint32(i * ENTRY_BYTES + 4, mask, true);
  });
  const ready = new Set<number>();
  const count = packetCalls().poll(address, sockets.length, 0);
  if (count < 0 && errorName() !== "EINTR") throw new Error(`poll: ${errorName()}`);
  if (count <= 0) return ready;
  sockets.forEach(({ fd }, i) => {
    if (view.getUint16(i * ENTRY_BYTES + 6, true) !== 0) ready.add(fd);
  });
  return ready;
}

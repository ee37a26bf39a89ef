/** Bytes by which a packet of ours is known wherever it is seen, also quoted in an error or echoed. */
export const MARK_BYTES = 16;
const RUN_BYTES = 8;

export interface Mark {
  /** Which probe. */
  index: number;
  /** Which of its tries, from 0. */
  attempt: number;
}

/** `run`: 8 random bytes that no other run has. */
export function writeMark(run: Uint8Array, { index, attempt }: Mark): Uint8Array {
  const bytes = new Uint8Array(MARK_BYTES);
  bytes.set(run);
  const view = new DataView(bytes.buffer);
  view.setUint32(RUN_BYTES, index);
  view.setUint32(RUN_BYTES + 4, attempt);
  return bytes;
}

/** The mark that the bytes begin with; null: none of this run. */
export function readMark(run: Uint8Array, bytes: Uint8Array): Mark | null {
  if (bytes.length < MARK_BYTES) return null;
  for (let i = 0; i < RUN_BYTES; i++) if (bytes[i] !== run[i]) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { index: view.getUint32(RUN_BYTES), attempt: view.getUint32(RUN_BYTES + 4) };
}

/** Where the file begins in the domain's memory: at its beginning. */
const BASE = 0n;

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const SEGMENTS = 2;

/** Xen's ELF notes (public/elfnote.h). */
const NOTE = { entry: 1, virtualBase: 3, xenVersion: 5, guestOs: 6, loader: 8 };

/**
 * sched_op(SCHEDOP_shutdown, &SHUTDOWN_poweroff), by what hypercalls are made of in 64 bits:
 * mov eax, 29; mov edi, 2; lea rsi, [rip+4]; syscall; jmp $; and the reason, 0.
 */
const CODE = Buffer.from("b81d000000bf02000000488d35040000000f05ebfe00000000", "hex");

/** A whole kernel for a paravirtual domain, which switches itself off when it runs. */
export function smallestKernel(): Buffer {
  const notesAt = HEADER_BYTES + SEGMENTS * SEGMENT_BYTES;
  const notesOf = (entry: bigint) =>
    Buffer.concat([
      note(NOTE.guestOs, text("none")),
      note(NOTE.loader, text("generic")),
      note(NOTE.xenVersion, text("xen-3.0")),
      note(NOTE.virtualBase, number(BASE)),
      note(NOTE.entry, number(entry)),
    ]);
  const codeAt = notesAt + notesOf(0n).length;
  const notes = notesOf(BASE + BigInt(codeAt));
  const length = codeAt + CODE.length;
  return Buffer.concat([
    header(BASE + BigInt(codeAt)),
    segment({ type: 1, flags: 7, offset: 0, length }),
    segment({ type: 4, flags: 4, offset: notesAt, length: notes.length }),
    notes,
    CODE,
  ]);
}

function header(entry: bigint): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  // 64 bits, little-endian, version 1.
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // An executable file, for x86-64.
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(entry, 24);
  bytes.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  bytes.writeUInt16LE(HEADER_BYTES, 52);
  bytes.writeUInt16LE(SEGMENT_BYTES, 54);
  bytes.writeUInt16LE(SEGMENTS, 56);
  bytes.writeUInt16LE(64, 58);
  return bytes;
}

function segment({ type, flags, offset, length }: { type: number; flags: number; offset: number; length: number }) {
  const bytes = Buffer.alloc(SEGMENT_BYTES);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(flags, 4);
  bytes.writeBigUInt64LE(BigInt(offset), 8);
  bytes.writeBigUInt64LE(BASE + BigInt(offset), 16);
  bytes.writeBigUInt64LE(BASE + BigInt(offset), 24);
  bytes.writeBigUInt64LE(BigInt(length), 32);
  bytes.writeBigUInt64LE(BigInt(length), 40);
  bytes.writeBigUInt64LE(4n, 48);
  return bytes;
}

function note(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(4, 0);
  head.writeUInt32LE(value.length, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, text("Xen"), value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function text(words: string): Buffer {
  return Buffer.from(`${words}\0`);
}

function number(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

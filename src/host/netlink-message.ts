/**
 * The frame of netlink messages: header, attributes, nesting (linux/netlink.h). Numbers are in the machine's byte order;
 * every machine that Node.js and Debian both support for servers with KVM or Xen is little-endian.
 */

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_ECHO = 0x8;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** Set in an attribute's type when it holds attributes; the kernel ignores it in these families, tools show it. */
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

function align4(length: number): number {
  return (length + 3) & ~3;
}

/** Writes messages one behind the other, as one sendmsg takes them. */
export class MessageWriter {
  #buffer = Buffer.alloc(4096);
  #length = 0;
  #messageStart = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  begin(type: number, flags: number, sequence: number): void {
    this.#messageStart = this.#length;
    this.u32(0);
    this.u16(type);
    this.u16(flags);
    this.u32(sequence);
    // Port: 0, the kernel.
    this.u32(0);
  }

  /** Completes the message that `begin` began. */
  end(): void {
    this.#buffer.writeUInt32LE(this.#length - this.#messageStart, this.#messageStart);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#length = this.#buffer.writeUInt16LE(value, this.#length);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#buffer.writeUInt32LE(value >>> 0, this.#length);
  }

  zeros(bytes: number): void {
    for (let i = 0; i < bytes; i++) this.u8(0);
  }

  attribute(type: number, payload: Uint8Array): void {
    const padded = align4(ATTRIBUTE_HEADER_BYTES + payload.length);
    this.#reserve(padded);
    this.#buffer.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + payload.length, this.#length);
    this.#buffer.writeUInt16LE(type, this.#length + 2);
    this.#buffer.set(payload, this.#length + ATTRIBUTE_HEADER_BYTES);
    this.#length += padded;
  }

  attributeU8(type: number, value: number): void {
    this.attribute(type, Uint8Array.of(value));
  }

  attributeU32(type: number, value: number): void {
    this.#reserve(8);
    this.u16(8);
    this.u16(type);
    this.u32(value);
  }

  /** With the NUL that the kernel wants. */
  attributeText(type: number, text: string): void {
    this.attribute(type, Buffer.from(`${text}\0`));
  }

  /** `write` fills it: with attributes, or with a header and attributes. */
  nest(type: number, write: () => void): void {
    const start = this.#length;
    this.u16(0);
    this.u16(type | NLA_F_NESTED);
    write();
    this.#buffer.writeUInt16LE(this.#length - start, start);
  }

  /** All that was written; valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The space kept free behind what is written stays zero: it is the padding. */
  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.alloc(this.#buffer.length * 2 + bytes);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

export interface Message {
  type: number;
  flags: number;
  sequence: number;
  payload: Buffer;
}

/** Messages of one datagram. Throws RangeError when the bytes are no netlink messages. */
export function* readMessages(datagram: Buffer): Generator<Message> {
  for (let offset = 0; offset < datagram.length;) {
    const length = datagram.readUInt32LE(offset);
    if (length < HEADER_BYTES || offset + length > datagram.length) {
      throw new RangeError(`netlink message of ${length} bytes at ${offset} of ${datagram.length}`);
    }
    yield {
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      payload: datagram.subarray(offset + HEADER_BYTES, offset + length),
    };
    offset += align4(length);
  }
}

/** Type → payload of the attributes from `offset` on. Throws RangeError when they don't fit. */
export function readAttributes(bytes: Buffer, offset = 0): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  while (offset + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_BYTES || offset + length > bytes.length) {
      throw new RangeError(`netlink attribute of ${length} bytes at ${offset} of ${bytes.length}`);
    }
    const type = bytes.readUInt16LE(offset + 2) & NLA_TYPE_MASK;
    attributes.set(type, bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length));
    offset += align4(length);
  }
  return attributes;
}

/** Text up to the NUL. */
export function readText(payload: Buffer): string {
  const end = payload.indexOf(0);
  return payload.toString("utf8", 0, end === -1 ? payload.length : end);
}

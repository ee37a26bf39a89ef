/** A frame as tcpdump delivers it. */
export interface CapturedFrame {
  /** Since the epoch, ns. */
  timeNs: bigint;
  bytes: Uint8Array;
  /** Bytes on the wire; more than there are when the frame was cut. */
  length: number;
}

/** pcap-savefile(5): times in µs or ns, in the writer's byte order. */
const MAGIC_US = 0xa1b2c3d4;
const MAGIC_NS = 0xa1b23c4d;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** LINKTYPE_ETHERNET */
const ETHERNET = 1;
/** No frame is longer (MAXIMUM_SNAPLEN); a larger number means that the bytes are no pcap. */
const MAX_FRAME_BYTES = 262_144;

/** Takes a pcap stream apart, however its chunks are cut. Throws RangeError when it is none, or not of Ethernet. */
export class PcapReader {
  #rest: Buffer = Buffer.alloc(0);
  #format: { little: boolean; nsPerTick: bigint } | null = null;

  /** Frames that the chunk completes. */
  push(chunk: Uint8Array): CapturedFrame[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const frames: CapturedFrame[] = [];
    let at = 0;
    if (this.#format === null) {
      if (this.#rest.length < FILE_HEADER_BYTES) return frames;
      this.#format = readHeader(this.#rest);
      at = FILE_HEADER_BYTES;
    }
    const { little, nsPerTick } = this.#format;
    const u32 = (offset: number): number =>
      little ? this.#rest.readUInt32LE(offset) : this.#rest.readUInt32BE(offset);
    while (this.#rest.length >= at + RECORD_HEADER_BYTES) {
      const captured = u32(at + 8);
      if (captured > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${captured} bytes: this is no pcap stream`);
      const end = at + RECORD_HEADER_BYTES + captured;
      if (this.#rest.length < end) break;
      frames.push({
        timeNs: BigInt(u32(at)) * 1_000_000_000n + BigInt(u32(at + 4)) * nsPerTick,
        bytes: Uint8Array.from(this.#rest.subarray(at + RECORD_HEADER_BYTES, end)),
        length: u32(at + 12),
      });
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
    return frames;
  }
}

function readHeader(bytes: Buffer): { little: boolean; nsPerTick: bigint } {
  const little = [MAGIC_US, MAGIC_NS].includes(bytes.readUInt32LE(0));
  const magic = little ? bytes.readUInt32LE(0) : bytes.readUInt32BE(0);
  if (magic !== MAGIC_US && magic !== MAGIC_NS) throw new RangeError("this is no pcap stream");
  const linkType = (little ? bytes.readUInt32LE(20) : bytes.readUInt32BE(20)) & 0xffff;
  if (linkType !== ETHERNET) throw new RangeError(`a capture of link type ${linkType}, not of Ethernet`);
  return { little, nsPerTick: magic === MAGIC_NS ? 1n : 1000n };
}

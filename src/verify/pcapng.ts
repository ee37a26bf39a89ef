import type { CapturedFrame } from "./pcap-stream.ts";

/** Block types and options of the pcapng format (draft-ietf-opsawg-pcapng). Everything is little-endian here. */
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
const OPTION_END = 0;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
/** Times count in 10⁻⁹ s. */
const NANOSECONDS = 9;

/** What a file of captures begins with: the section, and one description for each interface; frames name it by its place. */
export function pcapngHeader(interfaces: readonly string[], application: string): Uint8Array {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  section.writeUInt16LE(1, 4);
  // Length of the section: not known.
  section.writeBigInt64LE(-1n, 8);
  return Buffer.concat([
    block(SECTION_HEADER, section, options([[SHB_USERAPPL, Buffer.from(application)]])),
    ...interfaces.map((name) => {
      const description = Buffer.alloc(8);
      description.writeUInt16LE(LINKTYPE_ETHERNET, 0);
      const named: [number, Uint8Array][] = [
        [IF_NAME, Buffer.from(name)],
        [IF_TSRESOL, Uint8Array.of(NANOSECONDS)],
      ];
      return block(INTERFACE_DESCRIPTION, description, options(named));
    }),
  ]);
}

/** One frame, captured on the interface at this place of the header. */
export function pcapngFrame(interfaceIndex: number, { timeNs, bytes, length }: CapturedFrame): Uint8Array {
  const header = Buffer.alloc(20);
  header.writeUInt32LE(interfaceIndex, 0);
  header.writeUInt32LE(Number(timeNs >> 32n), 4);
  header.writeUInt32LE(Number(timeNs & 0xffffffffn), 8);
  header.writeUInt32LE(bytes.length, 12);
  header.writeUInt32LE(length, 16);
  return block(ENHANCED_PACKET, header, padded(bytes));
}

/** Type, length, body, length again. */
function block(type: number, ...body: Uint8Array[]): Buffer {
  const content = Buffer.concat(body);
  const framed = Buffer.alloc(content.length + 12);
  framed.writeUInt32LE(type, 0);
  framed.writeUInt32LE(framed.length, 4);
  framed.set(content, 8);
  framed.writeUInt32LE(framed.length, framed.length - 4);
  return framed;
}

function options(list: readonly [number, Uint8Array][]): Buffer {
  const parts = [...list, [OPTION_END, new Uint8Array()] as const].map(([code, value]) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(code, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, padded(value)]);
  });
  return Buffer.concat(parts);
}

/** To a multiple of 4 bytes. */
function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

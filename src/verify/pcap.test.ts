import { expect, test } from "vitest";
import { pcapngFrame, pcapngHeader } from "./pcapng.ts";
import { PcapReader } from "./pcap-stream.ts";

/** Two records of 4 and 2 bytes, µs, little-endian, as tcpdump on x86 writes them. */
const PCAP = Buffer.from(
  "d4c3b2a1" +
    "02000400" +
    "00000000" +
    "00000000" +
    "00000400" +
    "01000000" +
    "01000000" +
    "02000000" +
    "04000000" +
    "04000000" +
    "aabbccdd" +
    "02000000" +
    "03000000" +
    "02000000" +
    "99000000" +
    "eeff",
  "hex",
);
const FRAMES = [
  { timeNs: 1_000_002_000n, bytes: Uint8Array.of(0xaa, 0xbb, 0xcc, 0xdd), length: 4 },
  { timeNs: 2_000_003_000n, bytes: Uint8Array.of(0xee, 0xff), length: 0x99 },
];

test("a pcap stream, wherever it is cut", () => {
  for (let size = 1; size <= PCAP.length; size++) {
    const reader = new PcapReader();
    const frames = [];
    for (let at = 0; at < PCAP.length; at += size) frames.push(...reader.push(PCAP.subarray(at, at + size)));
    expect(frames).toEqual(FRAMES);
  }
});

test("what is no pcap, or not of Ethernet, is refused", () => {
  expect(() => new PcapReader().push(Buffer.from("tcpdump: no such device, ".padEnd(40)))).toThrow(/no pcap/);
  const raw = Buffer.from(PCAP);
  raw.writeUInt32LE(101, 20);
  expect(() => new PcapReader().push(raw)).toThrow(/link type 101/);
});

test("pcapng: every block has its length at both ends, and is a multiple of 4 bytes long", () => {
  const [, second] = FRAMES as [unknown, (typeof FRAMES)[0]];
  const file = Buffer.concat([pcapngHeader(["vif1.0", "trunk0"], "Cloison"), pcapngFrame(1, second)]);
  const types = [];
  let last = Buffer.alloc(0);
  for (let at = 0; at < file.length; at += last.length) {
    const length = file.readUInt32LE(at + 4);
    last = file.subarray(at, at + length);
    expect(length % 4).toBe(0);
    expect(last.readUInt32LE(length - 4)).toBe(length);
    types.push(last.readUInt32LE(0));
  }
  expect(types).toEqual([0x0a0d0d0a, 1, 1, 6]);
  expect([8, 20, 24].map((at) => last.readUInt32LE(at))).toEqual([1, 2, 0x99]);
  expect(last.subarray(28, 32).toString("hex")).toBe("eeff0000");
  expect(file.includes("vif1.0")).toBe(true);
});

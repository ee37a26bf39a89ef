import { expect, test } from "vitest";
import { decodeFrame, decodeIp } from "./frame.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");

/** Captured from a ping between two network namespaces. */
const ECHO = bytes(`
  00163e77000b 00163e77000a 0800
  4500 0054 1234 4000 4001 0000 0a4d0102 0a4d0103
  0800 abcd 0001 0002 ${"11".repeat(56)}`);

test("an echo request, with its identifier and sequence number", () => {
  expect(decodeFrame(ECHO)).toMatchObject({
    source: "00:16:3e:77:00:0a",
    destination: "00:16:3e:77:00:0b",
    vlans: [],
    packet: {
      kind: "ip",
      version: 4,
      source: "10.77.1.2",
      destination: "10.77.1.3",
      ttl: 64,
      length: 84,
      dontFragment: true,
      payload: { kind: "icmp", type: 8, identifier: 1, sequence: 2 },
    },
  });
});

test("tags are counted from the outermost, and what is inside is read", () => {
  const tagged = Buffer.concat([ECHO.subarray(0, 12), bytes("88a8 0064 8100 600a"), ECHO.subarray(12)]);
  expect(decodeFrame(tagged)).toMatchObject({ vlans: [100, 10], packet: { kind: "ip", destination: "10.77.1.3" } });
});

test("an ARP reply", () => {
  const frame = bytes(`
    00163e77000a 00163e77000b 0806
    0001 0800 06 04 0002 00163e77000b 0a4d0103 00163e77000a 0a4d0102`);
  expect(decodeFrame(frame)?.packet).toEqual({
    kind: "arp",
    operation: 2,
    senderMac: "00:16:3e:77:00:0b",
    senderAddress: "10.77.1.3",
    targetMac: "00:16:3e:77:00:0a",
    targetAddress: "10.77.1.2",
  });
});

test("an error quotes the packet that it is about, of which 8 bytes behind the header suffice", () => {
  const quoted = bytes("4500 003c 0001 4000 3f06 0000 0a4d0102 0a4d0202  d1e2 0050 01020304");
  const error = Buffer.concat([bytes("4500 0038 0002 0000 4001 0000 0a4d0101 0a4d0102  030d 0000 00000000"), quoted]);
  expect(decodeIp(error)?.payload).toMatchObject({
    type: 3,
    code: 13,
    quoted: { destination: "10.77.2.2", payload: { kind: "tcp", sequence: 0x01020304, acknowledgement: null } },
  });
});

test("IPv6: behind extension headers, and the target of a neighbour solicitation", () => {
  const addresses = "fd000077000000000000000000000002 ff0200000000000000000001ff000003";
  const solicitation = bytes(`6000 0000 0020 00 ff ${addresses}
    3a00 0502 0000 0100  8700 1234 00000000 fd000077000000000000000000000003`);
  expect(decodeIp(solicitation)).toMatchObject({
    version: 6,
    ttl: 255,
    protocol: 58,
    source: "fd00:77::2",
    payload: { kind: "icmp", type: 135, target: "fd00:77::3" },
  });
});

test("a later fragment has no header to read", () => {
  const fragment = bytes("4500 0054 1234 00b9 4001 0000 0a4d0102 0a4d0103 0800 abcd 0001 0002");
  expect(decodeIp(fragment)).toMatchObject({ fragmentOffset: 1480, payload: null });
});

test("no cut of a frame is read beyond its end", () => {
  const read = Array.from({ length: ECHO.length }, (_, length) => {
    const frame = decodeFrame(Uint8Array.from(ECHO.subarray(0, length)));
    if (frame === null) return "nothing";
    if (frame.packet === null) return "Ethernet";
    return "payload" in frame.packet && frame.packet.payload === null ? "IP" : "all";
  });
  const expected = (length: number) =>
    length < 14 ? "nothing" : length < 34 ? "Ethernet" : length < 42 ? "IP" : "all";
  expect(read).toEqual(read.map((_, length) => expected(length)));
});

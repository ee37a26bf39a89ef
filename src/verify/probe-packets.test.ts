import { expect, test } from "vitest";
import { decodeFrame, decodeIp } from "../model/frame.ts";
import { readMark, writeMark } from "./mark.ts";
import { arpRequest, checksum, datagramMark, dnsQuery, echoRequest, neighbourSolicitation } from "./probe-packets.ts";

const run = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const mark = writeMark(run, { index: 70_000, attempt: 2 });

test("a mark is known again, and only by its own run", () => {
  expect(readMark(run, mark)).toEqual({ index: 70_000, attempt: 2 });
  expect(readMark(run, mark.subarray(0, 15))).toBeNull();
  expect(readMark(Uint8Array.of(9, 2, 3, 4, 5, 6, 7, 8), mark)).toBeNull();
});

test("an echo request has the size of the whole packet that was asked for", () => {
  const echo = { identifier: 7, sequence: 70_000, mark };
  expect(echoRequest(4, { ...echo, size: undefined })).toHaveLength(64);
  expect(echoRequest(4, { ...echo, size: 1500 })).toHaveLength(1480);
  expect(echoRequest(6, { ...echo, size: 1500 })).toHaveLength(1460);
  // The mark always has room.
  expect(echoRequest(4, { ...echo, size: 20 })).toHaveLength(24);
  expect(checksum(echoRequest(4, { ...echo, size: 61 }))).toBe(0);
});

test("the checksum of RFC 1071's example", () => {
  expect(checksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0x220d);
});

test("a DNS query bears the mark in its name, and so does the server's answer", () => {
  const query = dnsQuery(mark);
  expect(datagramMark(run, query)).toEqual({ index: 70_000, attempt: 2, response: false });
  const answer = Uint8Array.from(query);
  answer[2] = 0x81;
  expect(datagramMark(run, answer)).toEqual({ index: 70_000, attempt: 2, response: true });
  expect(datagramMark(run, mark)).toEqual({ index: 70_000, attempt: 2, response: false });
  expect(datagramMark(run, query.subarray(0, 30))).toBeNull();
});

test("an ARP request is a broadcast of Ethernet's shortest length", () => {
  const frame = arpRequest("00:16:3e:77:00:0a", "10.77.1.2", "10.77.1.3");
  expect(frame).toHaveLength(60);
  expect(decodeFrame(frame)).toMatchObject({
    destination: "ff:ff:ff:ff:ff:ff",
    packet: { kind: "arp", operation: 1, senderAddress: "10.77.1.2", targetAddress: "10.77.1.3" },
  });
});

test("a neighbour solicitation goes to the target's group, and its checksum is right", () => {
  const frame = neighbourSolicitation("00:16:3e:77:00:0a", "fd00:77::2", "fd00:77::ab:cdef");
  expect(decodeFrame(frame)).toMatchObject({
    destination: "33:33:ff:ab:cd:ef",
    packet: { destination: "ff02::1:ffab:cdef", ttl: 255, payload: { type: 135, target: "fd00:77::ab:cdef" } },
  });
  const ip = frame.subarray(14);
  const pseudo = Uint8Array.of(...ip.subarray(8, 40), 0, 0, 0, 32, 0, 0, 0, 58);
  expect(checksum(Uint8Array.of(...pseudo, ...ip.subarray(40)))).toBe(0);
  expect(decodeIp(ip)?.length).toBe(72);
});

import { expect, test } from "vitest";
import { checksum, ECHO_BYTES, parseIcmp, writeEcho } from "./icmp.ts";

const cookie = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const IDENTIFIER = 0xbeef;

function request(number: number): Uint8Array {
  const packet = new Uint8Array(ECHO_BYTES);
  writeEcho(packet, IDENTIFIER, number, cookie);
  return packet;
}

/** `options`: words of IP options in the header. */
function inIp(payload: Uint8Array, options = 0): Uint8Array {
  const header = new Uint8Array(20 + 4 * options);
  header[0] = 0x45 + options;
  return Uint8Array.of(...header, ...payload);
}

function reply(number: number): Uint8Array {
  const packet = request(number);
  packet[0] = 0;
  return packet;
}

function unreachable(quoted: Uint8Array): Uint8Array {
  return inIp(Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0, ...quoted));
}

test("the checksum of RFC 1071's example", () => {
  expect(checksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0x220d);
});

test("a request's checksum is right: summed with it, all bits are set", () => {
  expect(checksum(request(70_000))).toBe(0);
});

test("a reply is known by its cookie, and its number has more than 16 bits", () => {
  expect(parseIcmp(inIp(reply(70_000)), IDENTIFIER, cookie)).toEqual({ kind: "reply", number: 70_000 });
  expect(parseIcmp(inIp(reply(7), 3), IDENTIFIER, cookie)).toEqual({ kind: "reply", number: 7 });
});

test("an unreachable quotes the request, whole or its first 8 bytes", () => {
  const quoted = inIp(request(70_000));
  expect(parseIcmp(unreachable(quoted), IDENTIFIER, cookie)).toEqual({ kind: "unreachable", number: 70_000 - 65_536 });
  expect(parseIcmp(unreachable(quoted.subarray(0, 28)), IDENTIFIER, cookie)).toEqual({
    kind: "unreachable",
    number: 4_464,
  });
});

test("other people's packets say nothing", () => {
  const foreign = reply(7);
  foreign[8] = 99;
  expect(parseIcmp(inIp(foreign), IDENTIFIER, cookie)).toBeNull();
  expect(parseIcmp(inIp(reply(7)), 1, cookie)).toBeNull();
  expect(parseIcmp(inIp(request(7)), IDENTIFIER, cookie)).toBeNull();
  expect(parseIcmp(unreachable(inIp(request(7))), 1, cookie)).toBeNull();
});

test("no cut of a packet is read beyond its end", () => {
  for (const packet of [inIp(reply(7)), unreachable(inIp(request(7)))]) {
    for (let length = 0; length < 32; length++)
      expect(parseIcmp(packet.slice(0, length), IDENTIFIER, cookie)).toBeNull();
  }
});

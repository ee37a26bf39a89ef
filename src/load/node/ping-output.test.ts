import { expect, test } from "vitest";
import { parsePingLine } from "./ping-output.ts";

// Lines as iputils 20221126 prints them with -n -D.
test("a reply", () => {
  expect(parsePingLine("[1795390726.808241] 64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.209 ms")).toEqual({
    atSeconds: 1795390726.808241,
    sequence: 1,
    kind: "reply",
    roundTripMs: 0.209,
  });
});

test("a slow reply without a fraction", () => {
  expect(parsePingLine("[1.5] 64 bytes from 10.0.0.2: icmp_seq=65535 ttl=63 time=1003 ms")?.roundTripMs).toBe(1003);
});

test.each([
  "[1795390726.808241] From 10.9.0.1 icmp_seq=3 Destination Host Unreachable",
  "From 10.9.0.1 icmp_seq=3 Destination Port Unreachable",
  "From 10.9.0.1 icmp_seq=3 Packet filtered",
])("unreachable: %s", (line) => {
  expect(parsePingLine(line)).toMatchObject({ kind: "unreachable", sequence: 3 });
});

test.each([
  "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.",
  "[1795390726.808241] 64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.209 ms (DUP!)",
  "[1795390726.808241] no answer yet for icmp_seq=1",
  "rtt min/avg/max/mdev = 0.038/0.123/0.209/0.085 ms",
  "",
])("says nothing of one request: %s", (line) => {
  expect(parsePingLine(line)).toBeNull();
});

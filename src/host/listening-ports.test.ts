import { expect, test } from "vitest";
import { isListening, parseListeners } from "./listening-ports.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

const TCP = [
  HEAD,
  "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1",
  "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 2",
  "   2: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3",
].join("\n");
const TCP6 = [
  HEAD,
  "   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 0",
  "   1: 000000FD000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000 0",
].join("\n");

test("TCP: listeners, not connections; where they are bound", () => {
  expect(parseListeners("tcp", 4, TCP)).toEqual([
    { address: null, family: 4, port: 80 },
    { address: "127.0.0.1", family: 4, port: 22 },
  ]);
  expect(parseListeners("tcp", 6, TCP6)).toEqual([
    { address: null, family: 6, port: 443 },
    { address: "fd00::1", family: 6, port: 25 },
  ]);
});

test("UDP: sockets without a peer", () => {
  const table = [
    HEAD,
    "  10: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1",
    "  11: 0100007F:D431 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 2",
  ].join("\n");
  expect(parseListeners("udp", 4, table)).toEqual([{ address: null, family: 4, port: 53 }]);
});

test.each([
  ["10.0.0.1", 80, true],
  ["fd00::9", 80, false],
  ["10.0.0.1", 22, false],
  ["127.0.0.1", 22, true],
  ["10.0.0.1", 443, true],
  ["fd00::9", 443, true],
  ["fd00::1", 25, true],
  ["fd00::9", 25, false],
])("whether somebody takes what comes to %s port %s: %s", (address, port, expected) => {
  expect(isListening([...parseListeners("tcp", 4, TCP), ...parseListeners("tcp", 6, TCP6)], address, port)).toBe(
    expected,
  );
});

import { expect, test } from "vitest";
import { icmpNews, isFinal } from "./icmp-news.ts";
import { writeMark } from "./mark.ts";
import { echoRequest } from "./probe-packets.ts";

const run = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const request = echoRequest(4, {
  identifier: 1,
  sequence: 2,
  mark: writeMark(run, { index: 5, attempt: 0 }),
  size: undefined,
});

function inIpv4(payload: Uint8Array): Uint8Array {
  const header = Buffer.from("4500000000000000400100000a0000020a000001", "hex");
  header.writeUInt16BE(20 + payload.length, 2);
  return Buffer.concat([header, payload]);
}
const reply = Uint8Array.of(0, ...request.subarray(1));

test("a reply and an error are known by the mark that they repeat", () => {
  expect(icmpNews(run, 4, inIpv4(reply))).toMatchObject({ index: 5, kind: "reply" });
  const error = inIpv4(Buffer.concat([Buffer.from("0301000000000000", "hex"), inIpv4(request)]));
  expect(icmpNews(run, 4, error)).toEqual({ index: 5, kind: "error", type: 3, code: 1 });
  expect(icmpNews(run, 6, Uint8Array.of(129, ...request.subarray(1)))).toMatchObject({ index: 5, kind: "reply" });
});

test("requests and other people's packets say nothing", () => {
  expect(icmpNews(run, 4, inIpv4(request))).toBeNull();
  expect(icmpNews(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1), 4, inIpv4(reply))).toBeNull();
  expect(icmpNews(run, 6, Uint8Array.of(129))).toBeNull();
});

test("a packet too large ends the wait only if it may not go in fragments", () => {
  expect(isFinal(4, { type: 3, code: 4 }, false)).toBe(false);
  expect(isFinal(4, { type: 3, code: 4 }, true)).toBe(true);
  expect(isFinal(6, { type: 2, code: 0 }, false)).toBe(false);
  expect(isFinal(4, { type: 5, code: 1 }, true)).toBe(false);
  expect(isFinal(4, { type: 11, code: 0 }, false)).toBe(true);
});

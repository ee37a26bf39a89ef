import fc from "fast-check";
import { expect, test } from "vitest";
import { ExitReader, LyingGuest, MarkedStream } from "./agent-replies.ts";

const NONCE = "00112233445566778899aabbccddeeff";
const MARKED = (text: string) => `\n${NONCE} begin\n${text}${NONCE} end\n`;

function taken(chunks: Buffer[]): { text: string; over: boolean } {
  let text = "";
  const stream = new MarkedStream(NONCE, (bytes) => (text += bytes.toString("latin1")));
  for (const chunk of chunks) stream.push(chunk);
  return { text, over: stream.isOver };
}

test("what the program prints is found between the lines, however the bytes are cut", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "\n", "0", " ", NONCE, "end", "begin"), maxLength: 30 });
  fc.assert(
    fc.property(text, text, fc.array(fc.nat(40), { maxLength: 30 }), (before, inside, cuts) => {
      const bytes = Buffer.from(`${before}${MARKED(inside)}after`, "latin1");
      const chunks: Buffer[] = [];
      let at = 0;
      for (const length of cuts) {
        chunks.push(bytes.subarray(at, at + length));
        at += length;
      }
      chunks.push(bytes.subarray(at));
      // Who knows the nonce could put the lines there; a program does not.
      fc.pre(!before.includes(`${NONCE} begin`) && !inside.includes(`${NONCE} end`));
      expect(taken(chunks)).toEqual({ text: inside, over: true });
    }),
  );
});

test("output that is cut off is not over, and what has come is given away", () => {
  expect(taken([Buffer.from(`\n${NONCE} begin\nhalf`)])).toEqual({ text: "half", over: false });
});

test("what may be the beginning of the last line is waited for, all else is given away at once", () => {
  const begin = Buffer.from(`\n${NONCE} begin\n`);
  expect(taken([begin, Buffer.from("a\n")])).toEqual({ text: "a\n", over: false });
  expect(taken([begin, Buffer.from(`a\n${NONCE.slice(0, 4)}`)])).toEqual({ text: "a\n", over: false });
});

test("megabytes before a beginning are refused, and of what comes inside nothing is kept", () => {
  const chunk = Buffer.alloc(2 ** 20, "x");
  const silent = new MarkedStream(NONCE, () => undefined);
  expect(() => {
    for (let i = 0; i < 8; i++) silent.push(chunk);
  }).toThrow(LyingGuest);
  let bytes = 0;
  const stream = new MarkedStream(NONCE, (some) => (bytes += some.length));
  stream.push(Buffer.from(`\n${NONCE} begin\n`));
  for (let i = 0; i < 64; i++) stream.push(chunk);
  expect(bytes).toBe(64 * 2 ** 20);
});

test("an exit code is read in pieces, after those of earlier programs", () => {
  const reader = new ExitReader(NONCE);
  for (const piece of ["exit abcdef 1\nex", `it ${NONCE}`, " 4", "2\nexit 00 0\n"]) reader.push(Buffer.from(piece));
  expect(reader.code).toBe(42);
});

test.each([
  ["a line without end", "exit ".padEnd(5000, "0")],
  ["no exit code", `exit ${NONCE}\n`],
  ["a code that no program has", `exit ${NONCE} 999\n`],
  ["JSON", `{"return": {"exitcode": 0}}\n`],
  ["control characters", "\u001b[2J\u0007\n"],
])("%s is an error, told in a line", (_, text) => {
  const reader = new ExitReader(NONCE);
  expect(() => reader.push(Buffer.from(text))).toThrow(LyingGuest);
  expect(reader.code).toBeNull();
});

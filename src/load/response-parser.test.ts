import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_HEAD_BYTES } from "./response-head.ts";
import { HeadMemory, ResponseParser, ResponseState } from "./response-parser.ts";

interface Answer {
  state: ResponseState;
  status: number;
  bodyBytes: number;
  persistent: boolean;
  /** Bytes behind the response. */
  left: number;
}

/** Feeds pieces and then the end, when the response is not over before. `at`: where in a receive buffer they lie. */
function parse(pieces: Uint8Array[], memory = new HeadMemory(), at = 3): Answer {
  const parser = new ResponseParser(memory);
  parser.reset();
  let left = 0;
  for (const piece of pieces) {
    const buffer = new Uint8Array(piece.length + at + 4);
    buffer.set(piece, at);
    const used = parser.state === ResponseState.open ? parser.push(buffer, at, at + piece.length) : at;
    left += at + piece.length - used;
  }
  parser.finish();
  const { state, status, bodyBytes, persistent } = parser;
  return { state, status, bodyBytes, persistent, left };
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const whole = (text: string): Answer => parse([bytes(text)]);
const complete = { state: ResponseState.complete, left: 0 };

describe("the bodies of RFC 9112 §6.3", () => {
  test.each([
    [
      "Content-Length",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
      { status: 200, bodyBytes: 5, persistent: true },
    ],
    [
      "an empty body",
      "HTTP/1.1 404 Not Found\r\ncontent-length:0\r\n\r\n",
      { status: 404, bodyBytes: 0, persistent: true },
    ],
    ["no reason phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", { status: 200, bodyBytes: 0, persistent: true }],
    [
      "the same length twice",
      "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\nContent-Length: 3\r\n\r\nabc",
      { status: 200, bodyBytes: 3, persistent: true },
    ],
    [
      "Connection: close",
      "HTTP/1.1 200 OK\r\nConnection: TE, Close\r\nContent-Length: 1\r\n\r\nx",
      { status: 200, bodyBytes: 1, persistent: false },
    ],
    ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", { status: 200, bodyBytes: 1, persistent: false }],
    [
      "HTTP/1.0 kept alive",
      "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
      { status: 200, bodyBytes: 1, persistent: true },
    ],
    [
      "until the end",
      "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nanything at all",
      { status: 200, bodyBytes: 15, persistent: false },
    ],
    [
      "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
      { status: 200, bodyBytes: 11, persistent: true },
    ],
    [
      "chunks with extensions and trailers",
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n00A;name="v;w"\r\n0123456789\r\n1 ;x\r\n.\r\n0;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n',
      { status: 200, bodyBytes: 11, persistent: true },
    ],
    [
      "chunks beat Content-Length",
      "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      { status: 200, bodyBytes: 1, persistent: false },
    ],
    [
      "another coding",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
      { status: 200, bodyBytes: 3, persistent: false },
    ],
    ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", { status: 304, bodyBytes: 0, persistent: true }],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, bodyBytes: 0, persistent: true }],
    [
      "interim responses",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      { status: 200, bodyBytes: 2, persistent: true },
    ],
    ["bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", { status: 200, bodyBytes: 2, persistent: true }],
  ])("%s", (_name, text, expected) => {
    expect(whole(text)).toEqual({ ...complete, ...expected });
  });

  test("what follows a response is left", () => {
    expect(whole("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1").left).toBe(8);
  });
});

describe("what is no response", () => {
  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
    ["a status that is no number", "HTTP/1.1 2x0 OK\r\n\r\n"],
    ["a status out of range", "HTTP/1.1 099 Low\r\n\r\n"],
    ["a fourth digit", "HTTP/1.1 2000 OK\r\n\r\n"],
    ["a switch of protocols", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n"],
    ["a header without a colon", "HTTP/1.1 200 OK\r\nnothing\r\n\r\n"],
    ["a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n"],
    ["a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
    ["no length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"],
    ["a length too large", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"],
    ["a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
    ["a chunk size too large", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"],
    ["a chunk longer than it says", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(MAX_HEAD_BYTES / 6 + 1)}`],
    ["a line without end", `HTTP/1.1 200 ${"x".repeat(MAX_HEAD_BYTES)}`],
    [
      "trailers without end",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${"X: y\r\n".repeat(MAX_HEAD_BYTES / 6 + 1)}`,
    ],
  ])("%s is malformed", (_name, text) => {
    expect(whole(text).state).toBe(ResponseState.malformed);
  });

  test.each([
    ["nothing", ""],
    ["half a status line", "HTTP/1.1 20"],
    ["half a head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"],
    ["half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
    ["half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
    ["no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"],
    ["an interim response alone", "HTTP/1.1 100 Continue\r\n\r\n"],
  ])("%s is short", (_name, text) => {
    expect(whole(text).state).toBe(ResponseState.short);
  });
});

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
const fieldValue = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const RESERVED = /^(content-length|transfer-encoding|connection)$/i;
const fields = fc.array(fc.tuple(token, fieldValue), { maxLength: 5 }).map((list) =>
  list
    .filter(([name]) => !RESERVED.test(name))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join(""),
);
const body = fc.uint8Array({ maxLength: 300 }).map((content) => Buffer.from(content).toString("latin1"));
const chunked = fc
  .tuple(
    fc.array(
      fc.tuple(
        body.filter((text) => text !== ""),
        fc.constantFrom("", ";x", ";a=b;c"),
      ),
      { maxLength: 4 },
    ),
    fields,
  )
  .map(([chunks, trailers]) => ({
    text: `${chunks.map(([text, extension]) => `${text.length.toString(16)}${extension}\r\n${text}\r\n`).join("")}0\r\n${trailers}\r\n`,
    length: chunks.reduce((sum, [text]) => sum + text.length, 0),
  }));
const interim = fc.constantFrom("", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
const response = fc.oneof(
  fc.tuple(interim, fields, body).map(([before, head, text]) => ({
    text: `${before}HTTP/1.1 200 OK\r\n${head}Content-Length: ${text.length}\r\n\r\n${text}`,
    bodyBytes: text.length,
  })),
  fc.tuple(interim, fields, chunked).map(([before, head, { text, length }]) => ({
    text: `${before}HTTP/1.1 200 OK\r\n${head}Transfer-Encoding: chunked\r\n\r\n${text}`,
    bodyBytes: length,
  })),
  fc.tuple(interim, fields, body).map(([before, head, text]) => ({
    text: `${before}HTTP/1.1 200 OK\r\n${head}\r\n${text}`,
    bodyBytes: text.length,
  })),
);

function split(all: Uint8Array, cuts: number[]): Uint8Array[] {
  const at = [...cuts.map((cut) => cut % (all.length + 1)), 0, all.length].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => all.subarray(at[i], end));
}

describe("any bytes, in any pieces", () => {
  test("a response says the same however it is split, and whatever head came before", () => {
    const memory = new HeadMemory();
    fc.assert(
      fc.property(response, fc.array(fc.nat(), { maxLength: 20 }), ({ text, bodyBytes }, cuts) => {
        const expected = whole(text);
        expect(expected).toMatchObject({ ...complete, status: 200, bodyBytes });
        expect(parse(split(bytes(text), cuts))).toEqual(expected);
        expect(parse([...bytes(text)].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
        // By words where the head begins on one, by bytes elsewhere.
        for (const at of [3, 4, 0]) expect(parse([bytes(text)], memory, at)).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  test("a head that differs from the known one in a single byte is read anew", () => {
    fc.assert(
      fc.property(response, fc.nat(), fc.nat(255), fc.nat(8), ({ text }, place, value, at) => {
        const memory = new HeadMemory();
        parse([bytes(text)], memory, at);
        const changed = bytes(text);
        changed[place % (text.indexOf("\r\n\r\n") + 4)] = value;
        expect(parse([changed], memory, at)).toEqual(parse([changed]));
      }),
      { numRuns: 400 },
    );
  });

  test("a response cut short never counts as complete, but where the end is its mark", () => {
    fc.assert(
      fc.property(response, fc.nat(), ({ text }, cut) => {
        const all = bytes(text);
        const part = parse([all.subarray(0, cut % all.length)]);
        const untilClose = !/\r\n(Content-Length|Transfer-Encoding):/.test(text);
        expect(part.state === ResponseState.complete && !untilClose).toBe(false);
      }),
    );
  });

  test("garbage ends, the same way in any pieces", () => {
    const pieces = fc.constantFrom(
      "HTTP/1.1 ",
      "200 OK",
      "\r\n",
      "\n",
      "Content-Length: 3",
      "Transfer-Encoding: chunked",
      "5",
      ":",
      " ",
      "\0",
      "ÿ",
    );
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(pieces, { maxLength: 30 }).map((list) => bytes(list.join(""))),
      fc.tuple(response, fc.nat(), fc.nat(255)).map(([{ text }, at, value]) => {
        const all = bytes(text);
        all[at % all.length] = value;
        return all;
      }),
    );
    fc.assert(
      fc.property(garbage, fc.array(fc.nat(), { maxLength: 20 }), (all, cuts) => {
        const expected = parse([all]);
        expect(expected.state).not.toBe(ResponseState.open);
        const again = parse(split(all, cuts));
        expect(again.state).toBe(expected.state);
        expect(again.bodyBytes).toBe(expected.bodyBytes);
      }),
      { numRuns: 1000 },
    );
  });
});

test("a parser reads one response after the other", () => {
  const parser = new ResponseParser(new HeadMemory());
  const text = bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab");
  for (const cut of [0, 1, 20, 38, text.length]) {
    parser.reset();
    expect(parser.begun).toBe(false);
    parser.push(text, 0, cut);
    parser.push(text, cut, text.length);
    expect([parser.state, parser.status, parser.bodyBytes, parser.persistent]).toEqual([
      ResponseState.complete,
      200,
      2,
      true,
    ]);
  }
});

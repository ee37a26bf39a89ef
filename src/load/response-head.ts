/** What the head of a response says about the bytes after it (RFC 9112 §6.3). */
export interface ResponseHead {
  status: number;
  /** Length of the body; CHUNKED or UNTIL_CLOSE when the head does not tell. */
  bodyLength: number;
  /** Whether the server lets the connection live on. */
  persistent: boolean;
}

export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;

/** Longest head, and longest trailer section; servers' own limits lie between 8 and 64 KiB. */
export const MAX_HEAD_BYTES = 65_536;

const LF = 10;
const CR = 13;
const SP = 32;
const HT = 9;
const COLON = 58;
const ZERO = 48;

const latin1 = new TextDecoder("latin1");

/**
 * Reads the head in `bytes[start, end)`, the empty line at its end included.
 * Requests are GETs, so 1xx, 204 and 304 alone have no body. Returns null when it is malformed: not HTTP/1, a folded
 * header, a header name that is no token, lengths that contradict each other, 101 that nobody asked for.
 */
export function parseHead(bytes: Uint8Array, start: number, end: number): ResponseHead | null {
  let line = lineEnd(bytes, start, end);
  const status = parseStatusLine(bytes, start, contentEnd(bytes, start, line));
  if (status < 100 || status === 101) return null;
  let persistent = bytes[start + 7] !== ZERO;
  let length = UNTIL_CLOSE;
  let chunked = false;
  let coded = false;
  for (let at = line + 1; at < end; at = line + 1) {
    line = lineEnd(bytes, at, end);
    const stop = contentEnd(bytes, at, line);
    if (stop === at) break;
    const colon = fieldNameEnd(bytes, at, stop);
    if (colon < 0) return null;
    switch (colon - at) {
      case 14: {
        if (!nameIs(bytes, at, "content-length")) break;
        const value = parseContentLength(bytes, colon + 1, stop);
        if (value < 0 || (length >= 0 && length !== value)) return null;
        length = value;
        break;
      }
      case 17: {
        if (!nameIs(bytes, at, "transfer-encoding")) break;
        coded = true;
        chunked = tokens(bytes, colon + 1, stop).at(-1) === "chunked";
        break;
      }
      case 10: {
        if (!nameIs(bytes, at, "connection")) break;
        const options = tokens(bytes, colon + 1, stop);
        if (options.includes("close")) persistent = false;
        else if (options.includes("keep-alive")) persistent = true;
        break;
      }
    }
  }
  if (status < 200 || status === 204 || status === 304) return { status, bodyLength: 0, persistent };
  if (coded)
    return { status, bodyLength: chunked ? CHUNKED : UNTIL_CLOSE, persistent: persistent && chunked && length < 0 };
  return { status, bodyLength: length, persistent: persistent && length >= 0 };
}

/** Where the head that begins at `start` ends (behind its empty line), looking from `from` on; -1: not in these bytes. */
export function headEnd(bytes: Uint8Array, start: number, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (bytes[at] !== LF) continue;
    const before = at > start && bytes[at - 1] === CR ? at - 2 : at - 1;
    if (before >= start && bytes[before] === LF) return at + 1;
  }
  return -1;
}

function lineEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== LF) at++;
  return at;
}

/** A line may end in LF alone (RFC 9112 §2.2). */
function contentEnd(bytes: Uint8Array, start: number, lf: number): number {
  return lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
}

/** `HTTP/1.x NNN reason`; -1 when it is something else. */
function parseStatusLine(bytes: Uint8Array, at: number, stop: number): number {
  if (stop - at < 12 || (stop - at > 12 && bytes[at + 12] !== SP)) return -1;
  const isHttp1 =
    bytes[at] === 72 &&
    bytes[at + 1] === 84 &&
    bytes[at + 2] === 84 &&
    bytes[at + 3] === 80 &&
    bytes[at + 4] === 47 &&
    bytes[at + 5] === 49 &&
    bytes[at + 6] === 46 &&
    isDigit(bytes[at + 7]) &&
    bytes[at + 8] === SP;
  if (!isHttp1 || !isDigit(bytes[at + 9]) || !isDigit(bytes[at + 10]) || !isDigit(bytes[at + 11])) return -1;
  return digit(bytes[at + 9]) * 100 + digit(bytes[at + 10]) * 10 + digit(bytes[at + 11]);
}

const TOKEN = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  TOKEN[char.charCodeAt(0)] = 1;
}

/** The colon behind a field name; -1 when there is no name, which a folded line has not either. */
function fieldNameEnd(bytes: Uint8Array, start: number, stop: number): number {
  let at = start;
  while (at < stop && TOKEN[bytes[at] ?? 0] === 1) at++;
  return at > start && at < stop && bytes[at] === COLON ? at : -1;
}

/** `name` in lower case, as long as the field name; the bytes are token characters, so bit 5 folds letters' case. */
function nameIs(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[at + i] ?? 0;
    const folded = byte >= 65 && byte <= 90 ? byte | 32 : byte;
    if (folded !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** One number, or the same number again and again behind commas (RFC 9112 §6.3, 5); -1 otherwise. */
function parseContentLength(bytes: Uint8Array, start: number, stop: number): number {
  let value = -1;
  let at = start;
  for (;;) {
    while (at < stop && isBlank(bytes[at])) at++;
    let number = 0;
    const first = at;
    while (at < stop && isDigit(bytes[at])) number = number * 10 + digit(bytes[at++]);
    if (at === first || number > Number.MAX_SAFE_INTEGER || (value >= 0 && value !== number)) return -1;
    value = number;
    while (at < stop && isBlank(bytes[at])) at++;
    if (at === stop) return value;
    if (bytes[at++] !== 44) return -1;
  }
}

function tokens(bytes: Uint8Array, start: number, stop: number): string[] {
  return latin1
    .decode(bytes.subarray(start, stop))
    .toLowerCase()
    .split(",")
    .map((token) => token.trim())
    .filter((token) => token !== "");
}

function isBlank(byte: number | undefined): boolean {
  return byte === SP || byte === HT;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 57;
}

function digit(byte: number | undefined): number {
  return (byte ?? ZERO) - ZERO;
}

import { CHUNKED, headEnd, MAX_HEAD_BYTES, parseHead, UNTIL_CLOSE, type ResponseHead } from "./response-head.ts";

const LF = 10;
const CR = 13;

/** Where a response stands. */
export const ResponseState = {
  /** More bytes are to come. */
  open: 0,
  complete: 1,
  /** Not HTTP/1.1, or larger than a head may be. */
  malformed: 2,
  /** The server closed before the end. */
  short: 3,
} as const;
export type ResponseState = (typeof ResponseState)[keyof typeof ResponseState];

const Part = {
  head: 0,
  fixed: 1,
  untilClose: 2,
  chunkSize: 3,
  chunkExtension: 4,
  chunkData: 5,
  chunkEnd: 6,
  trailer: 7,
} as const;
type Part = (typeof Part)[keyof typeof Part];

/** Largest chunk that is believed: 16 hex digits would not fit a number. */
const MAX_CHUNK_DIGITS = 12;

/**
 * The head met last, and what it meant. A server answers the same page with the same head for a second at a time (the
 * Date header), so most heads are known by comparing bytes. Connections of a loop share one.
 */
export class HeadMemory {
  head: ResponseHead | null = null;
  private length = 0;
  /** The known head, as bytes, and as the words that it fills. */
  private bytes = new Uint8Array(0);
  private words = new Int32Array(0);
  /** The buffer looked at last, and its words, when it has any: a loop receives into the same one again and again. */
  private seen: Uint8Array = this.bytes;
  private seenWords: Int32Array | null = null;

  /** Length of the known head when `bytes` goes on with it at `start`, else 0. */
  match(bytes: Uint8Array, start: number, end: number): number {
    const { length } = this;
    if (length === 0 || end - start < length) return 0;
    if (bytes !== this.seen) {
      this.seen = bytes;
      this.seenWords = wordsOf(bytes);
    }
    const known = this.bytes;
    let compared = 0;
    if (this.seenWords !== null && (start & 3) === 0) {
      const { words, seenWords } = this;
      const first = start >>> 2;
      // From behind: status lines are alike, ends of heads less so.
      for (let i = words.length - 1; i >= 0; i--) if (seenWords[first + i] !== words[i]) return 0;
      compared = words.length * 4;
    }
    for (let i = length - 1; i >= compared; i--) if (bytes[start + i] !== known[i]) return 0;
    return length;
  }

  keep(bytes: Uint8Array, start: number, end: number, head: ResponseHead): void {
    this.bytes = new Uint8Array(end - start);
    this.bytes.set(bytes.subarray(start, end));
    this.words = new Int32Array(this.bytes.buffer, 0, this.bytes.length >>> 2);
    this.length = this.bytes.length;
    this.head = head;
  }
}

/** The same memory by 4 bytes, as far as they fill it; null when it does not begin on a word's boundary. */
function wordsOf(bytes: Uint8Array): Int32Array | null {
  return (bytes.byteOffset & 3) === 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2) : null;
}

/**
 * Reads the responses of one connection, one at a time, from pieces that may be split anywhere.
 * `reset` before each request; `push` for bytes; `finish` when the server has closed.
 */
export class ResponseParser {
  state: ResponseState = ResponseState.open;
  /** 0 until the final head is read. */
  status = 0;
  /** Bytes of the body so far, without the framing of chunks. */
  bodyBytes = 0;
  /** Whether the connection may carry another request. */
  persistent = false;
  /** Whether a byte of this response has come. */
  begun = false;

  private part: Part = Part.head;
  /** Bytes missing from the body, the chunk, or the line end behind a chunk. */
  private missing = 0;
  private digits = 0;
  /** Whether the CR behind a chunk has come. */
  private returned = false;
  /** Bytes of chunk extensions and trailers; bounded as heads are. */
  private fringe = 0;
  private trailerLine = 0;
  private stash = new Uint8Array(0);
  private stashed = 0;
  private readonly memory: HeadMemory;

  constructor(memory: HeadMemory) {
    this.memory = memory;
  }

  reset(): void {
    this.state = ResponseState.open;
    this.status = 0;
    this.bodyBytes = 0;
    this.persistent = false;
    this.begun = false;
    this.part = Part.head;
    this.stashed = 0;
  }

  /** Takes `bytes[start, end)` and tells where it stops: at `end`, or sooner when the response is over. */
  push(bytes: Uint8Array, start: number, end: number): number {
    if (end > start) this.begun = true;
    let at = start;
    while (at < end && this.state === ResponseState.open) {
      switch (this.part) {
        case Part.head:
          at = this.readHead(bytes, at, end);
          break;
        case Part.fixed: {
          const taken = Math.min(this.missing, end - at);
          this.bodyBytes += taken;
          this.missing -= taken;
          at += taken;
          if (this.missing === 0) this.state = ResponseState.complete;
          break;
        }
        case Part.untilClose:
          this.bodyBytes += end - at;
          at = end;
          break;
        default:
          at = this.readChunked(bytes, at, end);
      }
    }
    return at;
  }

  /** The server has closed. */
  finish(): void {
    if (this.state !== ResponseState.open) return;
    this.state = this.part === Part.untilClose ? ResponseState.complete : ResponseState.short;
  }

  private readHead(bytes: Uint8Array, start: number, end: number): number {
    if (this.stashed === 0) {
      const known = this.memory.match(bytes, start, end);
      if (known > 0 && this.memory.head !== null) {
        this.take(this.memory.head);
        return start + known;
      }
      const stop = headEnd(bytes, start, start, end);
      if (stop >= 0 && stop - start <= MAX_HEAD_BYTES) {
        const head = parseHead(bytes, start, stop);
        if (head !== null) this.memory.keep(bytes, start, stop, head);
        this.take(head);
        return stop;
      }
    }
    return this.readSplitHead(bytes, start, end);
  }

  private readSplitHead(bytes: Uint8Array, start: number, end: number): number {
    const before = this.stashed;
    const room = Math.min(end - start, MAX_HEAD_BYTES - before);
    if (this.stash.length < before + room) {
      const larger = new Uint8Array(Math.min(MAX_HEAD_BYTES, Math.max(1024, 2 * (before + room))));
      larger.set(this.stash.subarray(0, before));
      this.stash = larger;
    }
    this.stash.set(bytes.subarray(start, start + room), before);
    const stop = headEnd(this.stash, 0, before, before + room);
    if (stop < 0) {
      this.stashed += room;
      if (this.stashed === MAX_HEAD_BYTES || !mayBeHttp(this.stash, this.stashed)) this.state = ResponseState.malformed;
      return start + room;
    }
    this.stashed = 0;
    this.take(parseHead(this.stash, 0, stop));
    return start + stop - before;
  }

  private take(head: ResponseHead | null): void {
    if (head === null) {
      this.state = ResponseState.malformed;
      return;
    }
    if (head.status < 200) return; // 1xx: the final response follows
    this.status = head.status;
    this.persistent = head.persistent;
    this.missing = head.bodyLength;
    if (head.bodyLength > 0) this.part = Part.fixed;
    else if (head.bodyLength === 0) this.state = ResponseState.complete;
    else if (head.bodyLength === UNTIL_CLOSE) this.part = Part.untilClose;
    else if (head.bodyLength === CHUNKED) {
      this.part = Part.chunkSize;
      this.missing = 0;
      this.digits = 0;
      this.fringe = 0;
      this.trailerLine = 0;
    }
  }

  private readChunked(bytes: Uint8Array, start: number, end: number): number {
    if (this.part === Part.chunkData) {
      const taken = Math.min(this.missing, end - start);
      this.bodyBytes += taken;
      this.missing -= taken;
      if (this.missing === 0) this.part = Part.chunkEnd;
      return start + taken;
    }
    const byte = bytes[start] ?? 0;
    switch (this.part) {
      case Part.chunkSize:
        this.readSize(byte);
        break;
      case Part.chunkExtension:
        if (byte === LF) this.beginChunk();
        else this.readFringe();
        break;
      case Part.chunkEnd:
        if (byte === LF) this.part = Part.chunkSize;
        else if (byte === CR && !this.returned) this.returned = true;
        else this.state = ResponseState.malformed;
        break;
      default:
        this.readTrailer(byte);
    }
    return start + 1;
  }

  private readSize(byte: number): void {
    const value = hexDigit(byte);
    if (value >= 0) {
      this.missing = this.missing * 16 + value;
      if (++this.digits > MAX_CHUNK_DIGITS) this.state = ResponseState.malformed;
    } else if (this.digits === 0) this.state = ResponseState.malformed;
    else if (byte === LF) this.beginChunk();
    else if (byte === CR || byte === 59 || byte === 32 || byte === 9) this.part = Part.chunkExtension;
    else this.state = ResponseState.malformed;
  }

  private beginChunk(): void {
    this.digits = 0;
    this.returned = false;
    this.part = this.missing === 0 ? Part.trailer : Part.chunkData;
  }

  /** Trailer fields are skipped up to the empty line. */
  private readTrailer(byte: number): void {
    this.readFringe();
    if (byte === LF) {
      if (this.trailerLine === 0) this.state = ResponseState.complete;
      this.trailerLine = 0;
    } else if (byte !== CR) this.trailerLine++;
  }

  private readFringe(): void {
    if (++this.fringe > MAX_HEAD_BYTES) this.state = ResponseState.malformed;
  }
}

/** Ends a stream of garbage at its first bytes instead of at 64 KiB. */
function mayBeHttp(bytes: Uint8Array, length: number): boolean {
  const start = "HTTP/1.";
  for (let i = 0; i < start.length && i < length; i++) if (bytes[i] !== start.charCodeAt(i)) return false;
  return true;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

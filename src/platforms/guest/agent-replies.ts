import { LabError } from "../../model/error.ts";

/** A line of the agent is short; what is longer is no line of it. */
const LONGEST_LINE_BYTES = 256;

/** Before a program begins there may be what an earlier one left in the port; more than this is somebody's nonsense. */
const MOST_BEFORE_BEGIN_BYTES = 4 * 2 ** 20;

/** What comes from a guest is the guest's to choose: whoever is root there may send what they like. */
export class LyingGuest extends LabError {}

/** Takes what comes between the agent's two lines out of a port's bytes. Whoever does not know the nonce cannot end it. */
export class MarkedStream {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  readonly #take: (bytes: Buffer) => void;
  #kept = Buffer.alloc(0);
  #dropped = 0;
  #state: "before" | "inside" | "over" = "before";

  constructor(nonce: string, take: (bytes: Buffer) => void) {
    this.#begin = Buffer.from(`\n${nonce} begin\n`);
    this.#end = Buffer.from(`${nonce} end\n`);
    this.#take = take;
  }

  get hasBegun(): boolean {
    return this.#state !== "before";
  }

  get isOver(): boolean {
    return this.#state === "over";
  }

  /** @throws LyingGuest when the program's output does not begin for megabytes */
  push(chunk: Buffer): void {
    if (this.#state === "over") return;
    let bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    if (this.#state === "before") {
      const at = bytes.indexOf(this.#begin);
      if (at < 0) {
        this.#dropped += chunk.length;
        if (this.#dropped > MOST_BEFORE_BEGIN_BYTES) {
          throw new LyingGuest("the guest's agent sends megabytes that nobody has asked for");
        }
        this.#kept = Buffer.from(bytes.subarray(-this.#begin.length));
        return;
      }
      this.#state = "inside";
      bytes = bytes.subarray(at + this.#begin.length);
    }
    const at = bytes.indexOf(this.#end);
    if (at >= 0) {
      this.#state = "over";
      this.#kept = Buffer.alloc(0);
      if (at > 0) this.#take(bytes.subarray(0, at));
      return;
    }
    // What may be the beginning of the last line waits for the rest of it. A newline does not: who speaks with a program by lines
    // is waiting for it.
    let from = Math.max(0, bytes.length - this.#end.length + 1);
    while (from < bytes.length && !this.#end.subarray(0, bytes.length - from).equals(bytes.subarray(from))) from++;
    if (from > 0) this.#take(bytes.subarray(0, from));
    this.#kept = Buffer.from(bytes.subarray(from));
  }
}

/** Finds the program's exit code in what comes by a control port. */
export class ExitReader {
  readonly #nonce: string;
  #line = "";
  /** null: not told yet. */
  code: number | null = null;

  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  /** @throws LyingGuest for what no agent sends */
  push(chunk: Buffer): void {
    if (this.code !== null) return;
    const lines = (this.#line + chunk.toString("latin1")).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of [...lines, this.#line]) {
      if (line.length > LONGEST_LINE_BYTES) {
        throw new LyingGuest(`the guest's agent sends a line of ${line.length} bytes where it tells exit codes`);
      }
    }
    for (const line of lines) {
      const [, nonce, code] = /^exit ([0-9a-f]+) (\d{1,3})$/.exec(line) ?? [];
      if (nonce === undefined || code === undefined || Number(code) > 255) {
        throw new LyingGuest(`the guest's agent sends ${JSON.stringify(line.slice(0, 60))} instead of an exit code`);
      }
      // An earlier program's whose starter did not wait.
      if (nonce !== this.#nonce) continue;
      this.code = Number(code);
      return;
    }
  }
}

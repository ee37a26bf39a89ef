import type { ForeignKernel, KernelAnswer, KernelCall } from "../../host/foreign-kernel.ts";
import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { Guest } from "./agent-lines.ts";
import { LyingGuest } from "./agent-replies.ts";
import { callMessage, callProgram } from "./call-program.ts";
import { execInGuest } from "./exec.ts";
import { BUSYBOX } from "./guest-configuration.ts";

/** Emulated, starved and busy, a guest takes some seconds. */
const ANSWER_MS = 30_000;
const TICK_MS = 250;

/** What of a waiting call's answer has come. */
interface Waiting {
  wanted: number;
  chunks: Buffer[];
  have: number;
  resolve(answer: Buffer): void;
  reject(error: Error): void;
}

/** A guest's own kernel, called through a small program of ours that its agent runs. */
export class GuestKernel implements ForeignKernel {
  readonly #host: Host;
  readonly #name: string;
  readonly #says = new Outbox();
  readonly #end: Promise<void>;
  readonly #stop = new AbortController();
  #waiting: Waiting | null = null;
  #failure: Error | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: Host, guest: Guest) {
    this.#host = host;
    const { name } = guest;
    this.#name = name;
    const talk = { says: this.#says, hears: (bytes: Buffer) => this.#hear(bytes) };
    const options = { talk, signal: this.#stop.signal };
    this.#end = execInGuest(host, guest, [BUSYBOX, "sh", "-c", SCRIPT, BUSYBOX], options).then(
      ({ code, stderr }) =>
        this.#fail(
          new LabError(`what calls the kernel of domain ${name} has ended with ${code}: ${stderr.trim()}`, {
            hint: "its guest is out of memory, or tampered with",
          }),
        ),
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  async call(calls: readonly KernelCall[]): Promise<KernelAnswer[]> {
    const { bytes, read } = callMessage(calls);
    const before = this.#last;
    const answer = (async () => {
      await before;
      return await this.#exchange(bytes);
    })();
    this.#last = answer.catch(() => undefined);
    return read(await answer);
  }

  async close(): Promise<void> {
    this.#says.end();
    const over = new AbortController();
    const late = this.#host.clock.sleep(ANSWER_MS, over.signal).then(
      () => this.#stop.abort(),
      () => undefined,
    );
    await this.#end;
    over.abort();
    await late;
  }

  async #exchange(bytes: Buffer): Promise<Buffer> {
    if (this.#failure !== null) throw this.#failure;
    let isThere = false;
    const answer = new Promise<Buffer>((resolve, reject) => {
      this.#waiting = { wanted: bytes.length, chunks: [], have: 0, resolve, reject };
    }).finally(() => (isThere = true));
    this.#says.push(bytes);
    const settled = answer.catch(() => undefined);
    const deadline = this.#host.clock.monotonicMs() + ANSWER_MS;
    while (!isThere) {
      if (this.#host.clock.monotonicMs() > deadline) {
        const hint = "its guest hangs, or is paused";
        this.#fail(
          new LabError(`the kernel of domain ${this.#name} has not answered for ${ANSWER_MS / 1000} s`, { hint }),
        );
      }
      const tick = new AbortController();
      await Promise.race([settled, this.#host.clock.sleep(TICK_MS, tick.signal).catch(() => undefined)]);
      tick.abort();
    }
    return await answer;
  }

  #hear(bytes: Buffer): void {
    const waiting = this.#waiting;
    if (waiting === null || waiting.have + bytes.length > waiting.wanted) {
      this.#fail(new LyingGuest(`domain ${this.#name} sends what nobody has asked its kernel for`));
      return;
    }
    waiting.chunks.push(Buffer.from(bytes));
    waiting.have += bytes.length;
    if (waiting.have < waiting.wanted) return;
    this.#waiting = null;
    waiting.resolve(Buffer.concat(waiting.chunks));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
    this.#says.end();
    this.#stop.abort();
  }
}

/** What is pushed comes out when it is asked for. */
class Outbox implements AsyncIterable<Uint8Array> {
  readonly #kept: Uint8Array[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  push(bytes: Uint8Array): void {
    this.#kept.push(bytes);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      yield* this.#kept.splice(0);
      if (this.#ended) return;
      if (this.#kept.length === 0) await woken;
    }
  }
}

/** Writes the program beside and renames it, as it may run already, and becomes it. $0: busybox. */
const SCRIPT = [
  "file=/run/cloison/calls",
  `printf '${[...callProgram()].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}' >$file.$$`,
  "$0 chmod 700 $file.$$",
  "$0 mv -f $file.$$ $file",
  "exec $file",
].join("\n");

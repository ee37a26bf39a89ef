import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import type { Connection, Host } from "../../host/host.ts";
import { Tail } from "../../host/tail.ts";
import { LabError } from "../../model/error.ts";
import type { ExecOptions, Exit } from "../platform.ts";
import { ExitReader, MarkedStream } from "./agent-replies.ts";
import type { Guest } from "./agent-lines.ts";
import { programScript } from "./program-script.ts";
import { isNobodyThere, takeSlot, type Slot } from "./slot.ts";

/** Kept of each of stdout and stderr; what came before is dropped. */
const CAPTURE_BYTES = 8 * 2 ** 20;

/** A guest under emulation with a tenth of a CPU takes seconds to start a program. */
const BEGIN_MS = 60_000;

/** What may pass between a program's end and the end of its output, and between a kill and the program's end. */
const END_MS = 15_000;

/** Of standard input sent at a time. */
const CHUNK_BYTES = 16_384;

/**
 * Runs a program in a guest, through the agent that its init has started. What the guest answers is not trusted: it is cut
 * where it is too much, and an error where it makes no sense.
 * @throws LabError when the guest does not run, or its agent does not do what it should
 */
export async function execInGuest(
  host: Host,
  { name, lines, describeEnd }: Guest,
  argv: [string, ...string[]],
  options: GuestExecOptions,
): Promise<Exit> {
  options.signal?.throwIfAborted();
  const slot = await takeSlot(host, lines, name, options.terminal === true).catch(async (error: unknown) => {
    if (!isNobodyThere(error)) throw error;
    throw new LabError(`${argv[0]} does not run in domain ${name}: the domain does not run`, {
      hint: `${await describeEnd()}; cloison up brings it up again`,
      cause: error,
    });
  });
  try {
    return await runIn(host, name, slot, argv, options);
  } finally {
    slot.release();
  }
}

/** `user`: `uid:gid`. `beginMs`: how long its agent may take to begin. `talk`: whom the program speaks with, instead of a user. */
type GuestExecOptions = ExecOptions & { beginMs?: number; talk?: Talk };

/** The other side of a program's standard streams. */
export interface Talk {
  /** What the program is told; at its end the program's input ends. */
  says: AsyncIterable<Uint8Array>;
  hears(bytes: Buffer): void;
}

async function runIn(
  host: Host,
  name: string,
  slot: Slot,
  argv: [string, ...string[]],
  options: GuestExecOptions,
): Promise<Exit> {
  const { control, out, err, terminal } = slot;
  const { beginMs = BEGIN_MS } = options;
  const nonce = randomBytes(16).toString("hex");
  const script = Buffer.from(programScript(argv, options.env));
  const device = terminal?.device ?? "-";
  const captured = outputSink(host, options.output ?? "capture");
  const sink = options.talk === undefined ? captured : { ...captured, out: options.talk.hears };
  const streams = [new MarkedStream(nonce, sink.out), new MarkedStream(nonce, sink.err)] as const;
  const exit = new ExitReader(nonce);
  const news = new News();
  const readers = [
    pump(control, (bytes) => exit.push(bytes), news),
    pump(out, (bytes) => streams[0].push(bytes), news),
    pump(err, (bytes) => streams[1].push(bytes), news),
  ];
  if (terminal !== null) readers.push(pump(terminal.connection, (bytes) => host.streams.user.output(bytes), news));
  const quit: (() => void)[] = [];
  let timedOut = false;
  let killedAtMs: number | null = null;
  const kill = () => {
    killedAtMs ??= host.clock.monotonicMs();
    void send(out, "kill\n");
  };
  try {
    await send(out, `gone\nhello ${nonce}\n`);
    await send(
      control,
      Buffer.concat([Buffer.from(`gone\nrun ${nonce} ${options.user ?? "-"} ${device} ${script.length}\n`), script]),
    );
    await unlessGone(slot.ring());
    quit.push(...sendInput(host, slot, options));
    const beganMs = host.clock.monotonicMs();
    const over = new AbortController();
    quit.push(() => over.abort());
    if (options.timeoutMs !== undefined) {
      void host.clock.sleep(options.timeoutMs, over.signal).then(
        () => {
          timedOut = true;
          kill();
        },
        () => undefined,
      );
    }
    if (options.signal?.aborted === true) kill();
    options.signal?.addEventListener("abort", kill, { signal: over.signal });
    const ask = () => void send(out, "end\n");
    if (options.end?.aborted === true) ask();
    options.end?.addEventListener("abort", ask, { signal: over.signal });
    let endedMs: number | null = null;
    let rungMs = beganMs;
    for (;;) {
      const tick = new AbortController();
      await Promise.race([news.next(), host.clock.sleep(TICK_MS, tick.signal).catch(() => undefined)]);
      tick.abort();
      if (news.failure !== null) throw news.failure;
      const nowMs = host.clock.monotonicMs();
      if (streams[0].hasBegun) slot.silence();
      else if (nowMs >= rungMs + RING_MS) {
        // A guest that was coming up has not heard it.
        rungMs = nowMs;
        await unlessGone(slot.ring());
      }
      if (exit.code !== null && endedMs === null) {
        endedMs = nowMs;
        await Promise.all([send(control, "over\n"), send(out, "over\n")]);
      } else if (endedMs !== null) await unlessGone(slot.nudge());
      if (exit.code !== null && streams.every(({ isOver }) => isOver)) break;
      if (killedAtMs !== null && nowMs - killedAtMs > END_MS) break;
      // Its guest has ended, and it with it.
      if (news.closed > 0) break;
      if (endedMs !== null && nowMs - endedMs > END_MS) {
        throw new LabError(`the agent of domain ${name} cut off what ${argv[0]} printed`, {
          hint: "its guest is too busy, or tampered with",
        });
      }
      if (!streams[0].hasBegun && nowMs - beganMs > beginMs) {
        throw new LabError(`the agent of domain ${name} has not answered for ${beginMs / 1000} s`, {
          hint: "its guest hangs, or is out of memory; its console says more",
        });
      }
    }
    if (terminal !== null) await host.clock.sleep(TERMINAL_LINGER_MS);
  } finally {
    for (const stop of quit) stop();
    slot.release();
    await Promise.allSettled(readers);
    await sink.close();
  }
  options.signal?.throwIfAborted();
  return { ...exitOf(exit.code), stdout: sink.stdout(), stderr: sink.stderr(), timedOut };
}

const TICK_MS = 250;
const RING_MS = 1000;
const TERMINAL_LINGER_MS = 100;

/** Who listens wakes whoever waits. */
class News {
  failure: Error | null = null;
  closed = 0;
  #wake: (() => void) | null = null;
  #told = false;

  /** What was told since the last time counts. */
  async next(): Promise<void> {
    if (!this.#told) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#told = false;
  }

  tell(): void {
    this.#told = true;
    this.#wake?.();
    this.#wake = null;
  }
}

async function pump(connection: Connection, take: (bytes: Buffer) => void, news: News): Promise<void> {
  try {
    for await (const chunk of connection) {
      take(chunk);
      news.tell();
    }
    news.closed += 1;
  } catch (error) {
    news.failure ??= error instanceof Error ? error : new Error(String(error));
  }
  news.tell();
}

/** What no longer can be sent need not be: whoever reads finds out that the connection is gone. */
async function send(connection: Connection, bytes: Uint8Array | string): Promise<void> {
  try {
    await connection.write(bytes);
  } catch (error) {
    if (!isNobodyThere(error) && !(error instanceof Error && "code" in error)) throw error;
  }
}

async function unlessGone(said: Promise<void>): Promise<void> {
  try {
    await said;
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
  }
}

/** Starts what sends the program its input; returns what ends that. */
function sendInput({ streams }: Host, { control, out, terminal }: Slot, options: GuestExecOptions): (() => void)[] {
  const { user } = streams;
  if (options.talk !== undefined) {
    void tellAll(control, options.talk.says);
    return [];
  }
  if (terminal !== null) {
    const size = () => {
      const now = user.size();
      if (now !== null) void send(out, `size ${now.rows} ${now.columns}\n`);
    };
    size();
    const { connection } = terminal;
    return [
      user.takeKeys(),
      user.onResize(size),
      user.input((bytes) => bytes !== null && void send(connection, bytes)),
    ];
  }
  if (options.stdin !== undefined || options.output !== "inherit") {
    void sendChunks(control, Buffer.from(options.stdin ?? ""), true);
    return [];
  }
  let last = Promise.resolve();
  return [
    user.input((bytes) => void (last = last.then(() => sendChunks(control, bytes ?? Buffer.alloc(0), bytes === null)))),
  ];
}

async function tellAll(control: Connection, says: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const bytes of says) await sendChunks(control, Buffer.from(bytes), false);
  await send(control, "end\n");
}

async function sendChunks(control: Connection, bytes: Buffer, isLast: boolean): Promise<void> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const chunk = bytes.subarray(at, at + CHUNK_BYTES);
    await send(control, Buffer.concat([Buffer.from(`data ${chunk.length}\n`), chunk]));
  }
  if (isLast) await send(control, "end\n");
}

function outputSink({ streams }: Host, output: NonNullable<ExecOptions["output"]>) {
  const nothing = { stdout: () => "", stderr: () => "" };
  if (output === "inherit") {
    return { ...nothing, out: streams.user.output, err: streams.user.error, close: async () => undefined };
  }
  if (output === "capture") {
    const [stdout, stderr] = [new Tail(CAPTURE_BYTES), new Tail(CAPTURE_BYTES)];
    return {
      out: (bytes: Buffer) => stdout.push(Buffer.from(bytes)),
      err: (bytes: Buffer) => stderr.push(Buffer.from(bytes)),
      stdout: () => stdout.text(),
      stderr: () => stderr.text(),
      close: async () => undefined,
    };
  }
  if ("stdout" in output) {
    const stderr = new Tail(CAPTURE_BYTES);
    return {
      ...nothing,
      out: output.stdout,
      err: (bytes: Buffer) => stderr.push(Buffer.from(bytes)),
      stderr: () => stderr.text(),
      close: async () => undefined,
    };
  }
  const file = streams.appendTo(output.file);
  return { ...nothing, out: file.write, err: file.write, close: file.close };
}

/** A program that a signal ended is told as a shell does. */
function exitOf(code: number | null): Pick<Exit, "code" | "signal"> {
  if (code === null) return { code: null, signal: "SIGKILL" };
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's own table of its names
  return signal === undefined ? { code, signal: null } : { code: null, signal: signal as NodeJS.Signals };
}

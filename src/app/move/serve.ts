import { withLabLock } from "../../lab/lab-lock.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";
import { requireRoot } from "../packages.ts";
import type { Hears, PartQuestions } from "./parcel.ts";
import { answersOf } from "./part.ts";

/** How often the asking host says that it is still there, and after how long a silence it is taken for gone. */
export const BEAT_MS = 5000;
const SILENCE_MS = 30_000;
/** Another command that is at its end: that of a move whose connection was lost lets the domain go on first. */
const LOCK_WAIT_MS = 30_000;

/** Allows the domain that stands still to be sent. */
export const GO = "go";

/** What is told of a question, a line of JSON each; the last one is the answer. */
export type Told = { progress: string } | { stands: "still" | "switching" } | { answer: unknown };

/**
 * Answers a question of the host that a lab was made at. It and what follows come on standard input, a line each. When that
 * ends, or is silent, nobody is there to decide: what is being done ends as on Ctrl-C, and a domain that was being sent goes on.
 */
export async function servePart(app: AppContext, what: string, lab: string, interruption: AbortSignal): Promise<void> {
  requireRoot(app, "part");
  const { user } = app.host.streams;
  const lines = listen(app);
  const signal = AbortSignal.any([interruption, lines.lost]);
  const tell = (told: Told) => user.output(Buffer.from(`${JSON.stringify(told)}\n`));
  const hears: Hears = {
    onProgress: (progress) => tell({ progress }),
    onStill: () => tell({ stands: "still" }),
    async onSwitching() {
      tell({ stands: "switching" });
      await lines.next();
    },
    signal,
  };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same program wrote it
    const { of, question } = JSON.parse(await lines.next()) as { of: string; question: { domain: string } };
    const answers = answersOf(app, { lab, of });
    if (!isQuestion(answers, what)) throw new LabError(`there is no ${what} of a part`, { exit: ExitCode.usage });
    await withLabLock(app.host, app.paths, lab, LOCK_WAIT_MS, async () => {
      try {
        tell({ answer: await answers[what](question as never, hears) });
      } catch (error) {
        if (signal.aborted && (what === "offer" || what === "send")) {
          await answers.settle({ domain: question.domain, phase: "copying" }, hears);
        }
        throw error;
      }
    });
  } finally {
    lines.close();
  }
}

const isQuestion = (answers: object, what: string): what is keyof PartQuestions => Object.hasOwn(answers, what);

interface Lines {
  /** @throws LabError when none comes any more */
  next(): Promise<string>;
  lost: AbortSignal;
  close(): void;
}

function listen({ host }: AppContext): Lines {
  const lost = new AbortController();
  const lines: string[] = [];
  let wake = () => {};
  const decoder = new TextDecoder();
  let text = "";
  const lose = () => {
    lost.abort(new LabError("the connection to the lab's own host was lost", { exit: ExitCode.interrupted }));
    wake();
  };
  let silence = setTimeout(lose, SILENCE_MS);
  const stop = host.streams.user.input((bytes) => {
    if (bytes === null) return lose();
    clearTimeout(silence);
    silence = setTimeout(lose, SILENCE_MS);
    const come = (text + decoder.decode(bytes, { stream: true })).split("\n");
    text = come.pop() ?? "";
    lines.push(...come.filter((line) => line !== "beat"));
    wake();
  });
  return {
    async next() {
      for (;;) {
        const line = lines.shift();
        if (line !== undefined) return line;
        lost.signal.throwIfAborted();
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    lost: lost.signal,
    close() {
      clearTimeout(silence);
      stop();
    },
  };
}

import { OWN, type Place } from "../../lab/moves.ts";
import { type ExitCode, LabError } from "../../model/error.ts";
import type { Connection } from "../../remote/connection.ts";
import type { Installed } from "../../remote/install.ts";
import { talk } from "../../remote/talk.ts";
import type { AppContext } from "../context.ts";
import { reach } from "../remote/forward.ts";
import type { Hears, PartAnswers, PartQuestions } from "./parcel.ts";
import { answersOf } from "./part.ts";
import { BEAT_MS, GO, type Told } from "./serve.ts";

/** A host of a lab, and the Cloison there. */
export interface End {
  place: Place;
  /** null: this machine. */
  connection: Connection | null;
  ask<Q extends keyof PartQuestions>(
    what: Q,
    lab: string,
    question: PartQuestions[Q],
    hears?: Hears,
  ): Promise<PartAnswers[Q]>;
}

const NOTHING_HEARD: Hears = {
  onProgress: () => undefined,
  onStill: () => undefined,
  onSwitching: async () => undefined,
};

/** The caller holds the lab's lock. @throws LabError when the host cannot be reached */
export async function reachEnd(app: AppContext, place: Place, signal?: AbortSignal): Promise<End> {
  if (place === OWN) {
    return {
      place,
      connection: null,
      ask: (what, lab, question, hears = NOTHING_HEARD) => answersOf(app, { lab, of: null })[what](question, hears),
    };
  }
  const given = signal === undefined ? {} : { signal };
  const { connection, installed } = await reach(app, place, { terminal: false, needsDatabase: false, ...given });
  const of = await machineName(app);
  return {
    place,
    connection,
    async ask(what, lab, question, hears = NOTHING_HEARD) {
      const answer = await converse(
        app,
        { connection, installed },
        [what, lab],
        { of, question },
        { ...given, ...hears },
      );
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same program wrote it
      return answer as PartAnswers[typeof what];
    },
  };
}

/** What this machine is called. */
async function machineName({ host }: AppContext): Promise<string> {
  return (await host.processes.must({ argv: ["uname", "-n"] })).trim();
}

/** Asks, and hears what the other host tells until it answers. When this process dies, the other one ends as on Ctrl-C. */
async function converse(
  { host }: AppContext,
  { connection, installed }: { connection: Connection; installed: Installed },
  words: string[],
  question: unknown,
  { onProgress, onStill, onSwitching, signal }: Hears,
): Promise<unknown> {
  const line = talk(BEAT_MS);
  line.say(JSON.stringify(question));
  let answer: unknown;
  let switching = Promise.resolve();
  const take = (told: Told) => {
    if ("progress" in told) onProgress(told.progress);
    else if ("answer" in told) answer = told.answer;
    else if (told.stands === "still") onStill();
    else {
      switching = onSwitching().then(() => line.say(GO));
      switching.catch(line.end);
    }
  };
  const decoder = new TextDecoder();
  let text = "";
  try {
    const { exited } = await host.processes.start({
      argv: connection.argv('exec "$@"', [...installed.argv, "part", ...words, "--json", "--host", "local"]),
      stdin: line.lines(),
      output: {
        stdout(chunk) {
          const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
          text = lines.pop() ?? "";
          for (const one of lines) take(JSON.parse(one) as Told);
        },
      },
      ...(signal === undefined ? {} : { signal }),
    });
    const { code, stderr } = await exited;
    signal?.throwIfAborted();
    await switching;
    if (code !== 0) throw refusal(connection.address, stderr);
    return answer;
  } finally {
    line.end();
  }
}

/** What Cloison there has said, in its last line. */
function refusal(address: string, said: string): LabError {
  const last = said.trim().split("\n").at(-1) ?? "";
  try {
    const { error, hint, exit } = JSON.parse(last) as { error: string; hint: string | null; exit: ExitCode };
    return new LabError(`${address}: ${error}`, { exit, ...(hint === null ? {} : { hint }) });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new LabError(`${address}: ${last || "the connection was lost"}`);
  }
}

import type { Connection, Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import type { GuestPaths } from "./guest-paths.ts";
import { isNobodyThere } from "../guest/slot.ts";

/** QEMU answers in milliseconds, unless it waits for a disk or has no CPU. */
const DEADLINE_MS = 20_000;

/** Statistics of disks are some kilobytes. */
const LONGEST_ANSWER_BYTES = 2 ** 20;

export interface MonitorCommand {
  execute: string;
  arguments?: Record<string, unknown>;
}

/**
 * Asks a guest's QEMU by its monitor (QMP), one command after the other. null: no QEMU listens.
 * @throws LabError when it refuses one, or does not answer
 */
export async function askMonitor(
  host: Host,
  paths: GuestPaths,
  commands: readonly MonitorCommand[],
): Promise<unknown[] | null> {
  const connection = await host.streams.connect(paths.monitor).catch((error: unknown) => {
    if (isNobodyThere(error)) return null;
    throw error;
  });
  if (connection === null) return null;
  const over = new AbortController();
  const late = host.clock.sleep(DEADLINE_MS, over.signal).then(
    () => {
      throw new LabError(`QEMU has not answered for ${DEADLINE_MS / 1000} s`, {
        hint: "the machine may be overloaded",
      });
    },
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([converse(connection, commands), late]);
  } finally {
    over.abort();
    connection.close();
  }
}

async function converse(connection: Connection, commands: readonly MonitorCommand[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  const waiting = [{ execute: "qmp_capabilities" }, ...commands];
  let greeted = false;
  let text = "";
  for await (const chunk of connection) {
    text += chunk.toString("utf8");
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    if (text.length > LONGEST_ANSWER_BYTES) throw new LabError("QEMU's monitor sends more than it was asked for");
    for (const line of lines) {
      const answer = parseAnswer(line);
      if (answer === "event") continue;
      if (answer === "greeting") greeted = true;
      else {
        const [asked] = waiting.splice(0, 1);
        if ("refusal" in answer) throw new LabError(`QEMU refuses ${asked?.execute}: ${answer.refusal}`);
        answers.push(answer.value);
      }
      const [next] = waiting;
      if (next === undefined) return answers.slice(1);
      if (greeted && !(await isSent(connection, next))) throw ended(next);
    }
  }
  throw ended(waiting[0]);
}

/** @returns whether QEMU was there to take it */
async function isSent(connection: Connection, command: MonitorCommand): Promise<boolean> {
  try {
    await connection.write(`${JSON.stringify(command)}\n`);
    return true;
  } catch (error) {
    if (isNobodyThere(error)) return false;
    throw error;
  }
}

const ended = (asked: MonitorCommand | undefined) =>
  new LabError(`QEMU ended while it was asked for ${asked?.execute}`, { hint: "`cloison ps` says what ended it" });

/** Reads the answer of query-status: `running`, `paused`, …; null: it says nothing of the kind. */
export function statusOf(answer: unknown): string | null {
  const status = typeof answer === "object" && answer !== null && "status" in answer ? answer.status : null;
  return typeof status === "string" ? status : null;
}

/** One line of QMP. @throws LabError for what is none */
export function parseAnswer(line: string): "greeting" | "event" | { value: unknown } | { refusal: string } {
  const answer = parseObject(line);
  if (answer !== null && "QMP" in answer) return "greeting";
  if (answer !== null && "event" in answer) return "event";
  if (answer !== null && "return" in answer) return { value: answer["return"] };
  if (answer !== null && "error" in answer) {
    const { error } = answer;
    const isTold = typeof error === "object" && error !== null && "desc" in error && typeof error.desc === "string";
    return { refusal: isTold ? String((error as { desc: string }).desc) : "it does not say why" };
  }
  throw new LabError(`QEMU's monitor sends ${JSON.stringify(line.slice(0, 60))}, which is no answer`);
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

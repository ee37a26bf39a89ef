import type { Host } from "../host/host.ts";
import type { Undo } from "../platforms/platform.ts";
import { journalFile, type Paths } from "./paths.ts";

/** What one process was about to do to a lab, and what undoes it. One line of the journal. */
export interface JournalEntry {
  bootId: string;
  pid: number;
  /** With the pid it names the process for good; see Machine.startTime. */
  startTime: number | null;
  atMs: number;
  undos: Undo[];
}

/**
 * The undo journal of one lab. A step is written and synced before it is taken, so that after a crash at any moment the
 * journal names at least all that exists; each undo is idempotent, so naming more does no harm.
 */
export interface Journal {
  record(undos: Undo[]): Promise<void>;
}

/** @param pid of this process */
export function openJournal(host: Host, paths: Paths, lab: string, pid: number): Journal {
  const startTime = host.machine.startTime(pid);
  return {
    async record(undos) {
      if (undos.length === 0) return;
      const entry: JournalEntry = { bootId: host.machine.bootId, pid, startTime, atMs: host.clock.nowMs(), undos };
      // The line break before it ends a line that a crash or a full disk cut short.
      await host.files.appendSynced(journalFile(paths, lab), `\n${JSON.stringify(entry)}\n`);
    },
  };
}

/** All entries, oldest first. A line that was cut short is no entry: it was not synced, so its step was never taken. */
export async function readJournal(host: Host, paths: Paths, lab: string): Promise<JournalEntry[]> {
  const text = (await host.files.readTextIfExists(journalFile(paths, lab))) ?? "";
  return text.split("\n").flatMap((line) => {
    const entry = entryOf(line);
    return entry === null ? [] : [entry];
  });
}

/** An entry is one JSON object, so what is missing its end is no JSON. */
function entryOf(line: string): JournalEntry | null {
  try {
    return JSON.parse(line) as JournalEntry;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

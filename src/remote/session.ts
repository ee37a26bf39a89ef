import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Host, Running } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import { sendingError } from "./complaints.ts";
import type { Connection } from "./connection.ts";
import type { Installed } from "./install.ts";
import { talk } from "./talk.ts";

/** A command for another host. Paths are of this machine, absolute. */
export interface RemoteCommand {
  /** What follows `cloison`. A file that is named by its absolute path is given as `placeOf` says. */
  argv(placeOf: (path: string) => string): string[];
  workingDirectory: string;
  /** Files and folders that the command reads. */
  sends: string[];
  /** Files and folders that the command may write. */
  brings: string[];
  /** Standard input, output and error are one terminal, and so they are there. */
  terminal: boolean;
  /** It reads standard input. */
  reads: boolean;
  signal: AbortSignal;
}

/**
 * The folder that a command works in: below `tree` this machine's files lie at their paths. It watches over the command by a
 * line of its own to here: signals come on it, and when it breaks the command ends as when a terminal is closed. Standard
 * input is the command's, and tells nothing of a lost connection. The pid is written before the mark is looked for, and the
 * mark before the pid: a signal that comes before the command has begun is not lost.
 */
const WATCH = `
work=$1; terminal=$2; keeps=$3
umask 077; mkdir -p "$work/tree" || exit 1
trap '' HUP
pid() { cat "$work/pid" 2>/dev/null; }
end() { : >"$work/ended"; if pid=$(pid); then kill -s "$1" "$pid" 2>/dev/null; fi; }
echo ready
how=lost
while read -r -t 60 word; do
  case $word in beat) ;; done) how=done; break ;; *) end "$word" ;; esac
done
if [ $how = lost ]; then
  [ "$terminal" = yes ] || end HUP
  if pid=$(pid); then while kill -0 "$pid" 2>/dev/null; do sleep 1; done; fi
  [ "$keeps" = no ] || exit 0
fi
rm -rf "$work"
`;
const BEAT_MS = 15_000;

const TAKE = `set -eu; work=$1/tree; shift; tar --extract --gzip --no-same-owner --directory "$work"; cd "$work"; mkdir -p -- "$@"`;

const SEND = `set -o pipefail
tar --create --dereference --directory / --null --files-from=- | gzip -1 | "$@"`;

/** CLOISON_TREE: src/cli/own-paths.ts. */
const RUN = `
work=$1; cd "$work/tree/$2" || exit 1; shift 2
echo $$ >"$work/pid"
[ ! -e "$work/ended" ] || exit 130
CLOISON_TREE=$(realpath "$work/tree") exec "$@"
`;

const KIND = `if [ -d "$1" ]; then echo folder; elif [ -e "$1" ]; then echo file; fi`;
const BRING_FILE = `set -eu; to=$1; shift; beside=$(mktemp "$to.XXXXXX"); trap 'rm -f "$beside"' EXIT; "$@" >"$beside"; mv "$beside" "$to"`;
const BRING_FOLDER = `set -euo pipefail; to=$1; shift; mkdir -p "$to"; "$@" | tar --extract --gzip --no-same-owner --directory "$to"`;

/** ssh's own failure; also what a program may end with. */
const SSH_FAILED = 255;

/**
 * Runs a command on a host as if it ran here, and brings back what it wrote. @returns its exit code
 * @throws LabError when the connection is lost
 */
export async function runOnHost(
  host: Host,
  connection: Connection,
  { cache, argv }: Installed,
  command: RemoteCommand,
): Promise<number> {
  const work = `${cache}/work/${randomBytes(6).toString("hex")}`;
  const place = (path: string) => `${work}/tree${path}`;
  const watch = await startWatch(host, connection, work, command);
  const interrupt = () => watch.tell("INT");
  let isKept = false;
  command.signal.addEventListener("abort", interrupt);
  try {
    command.signal.throwIfAborted();
    await sendFiles(host, connection, work, command);
    const line = connection.argv(RUN, [work, below(command.workingDirectory), ...argv, ...command.argv(place)], {
      terminal: command.terminal,
    });
    const { exited } = await host.processes.start({
      // Ctrl-C is for the command there, not for ssh: on a terminal of its own it goes as a key, else over the watch.
      argv: command.terminal || !command.reads ? line : ["setsid", "--wait", ...line],
      output: "inherit",
      ...(command.terminal || command.reads ? {} : { stdin: "" }),
    });
    const { code } = await exited;
    if (code === null || (code === SSH_FAILED && (await watch.isOver())))
      throw lost(connection, command.brings.length > 0 ? place("") : null);
    try {
      for (const path of command.brings) await bring(host, connection, place(path), path);
    } catch (error) {
      isKept = true;
      throw notBrought(connection, place(""), error);
    }
    return code;
  } finally {
    command.signal.removeEventListener("abort", interrupt);
    await watch.end(isKept);
  }
}

/** Relative to the root. */
const below = (path: string) => `.${path}`;

async function sendFiles(
  host: Host,
  connection: Connection,
  work: string,
  { sends, brings, workingDirectory }: RemoteCommand,
): Promise<void> {
  const folders = [workingDirectory];
  // What is there already is in the way there, too; and a folder that is missing is missing there.
  for (const path of brings) {
    const folder = (await host.files.kind(path)) === "directory" ? path : join(path, "..");
    if ((await host.files.kind(folder)) === "directory") folders.push(folder);
  }
  const there: string[] = [];
  // One that is missing here is missed there, in the command's own words.
  for (const path of sends) if ((await host.files.kind(path)) !== null) there.push(path);
  const finished = await host.processes.run({
    argv: ["bash", "-c", SEND, "send", ...connection.argv(TAKE, [work, ...folders.map(below)])],
    stdin: there.map((path) => `${below(path)}\0`).join(""),
  });
  if (finished.code !== 0) throw sendingError(connection.address, work, finished.stderr);
}

async function bring(host: Host, connection: Connection, from: string, to: string): Promise<void> {
  const { code, stdout, stderr } = await connection.run(KIND, [from]);
  if (code !== 0) throw new LabError(stderr.trim() || `ssh ended with ${code}`);
  const kind = stdout.trim();
  if (kind === "file") {
    await host.processes.must({
      argv: ["bash", "-c", BRING_FILE, "bring", to, ...connection.argv('cat -- "$1"', [from])],
    });
  } else if (kind === "folder") {
    const pack = 'tar --create --gzip --directory "$1" .';
    await host.processes.must({ argv: ["bash", "-c", BRING_FOLDER, "bring", to, ...connection.argv(pack, [from])] });
  }
}

interface Watch {
  /** Sends a signal, by its name without SIG. */
  tell(signal: string): void;
  /** The connection is gone. */
  isOver(): Promise<boolean>;
  /** Takes the folder away, or keeps it. */
  end(isKept: boolean): Promise<void>;
}

async function startWatch(
  host: Host,
  connection: Connection,
  work: string,
  { terminal, brings }: RemoteCommand,
): Promise<Watch> {
  const words = talk(BEAT_MS);
  let ready = () => {};
  const began = new Promise<void>((resolve) => (ready = resolve));
  let running: Running;
  try {
    running = await host.processes.start({
      argv: connection.argv(WATCH, [work, terminal ? "yes" : "no", brings.length > 0 ? "yes" : "no"]),
      stdin: words.lines(),
      output: { stdout: () => ready() },
    });
  } catch (error) {
    words.end();
    throw error;
  }
  const over = running.exited.finally(words.end);
  const early = await Promise.race([began.then(() => null), over]);
  if (early !== null) throw sendingError(connection.address, work, early.stderr);
  return {
    tell: words.say,
    isOver: () => Promise.race([over.then(() => true), host.clock.sleep(1000).then(() => false)]),
    async end(isKept) {
      if (!isKept) words.say("done");
      words.end();
      await over;
    },
  };
}

function notBrought({ address }: Connection, kept: string, error: unknown): LabError {
  return new LabError(`what was done at ${address} could not be brought here: ${(error as Error).message}`, {
    hint: `it is kept there, in ${kept}`,
    cause: error,
  });
}

/** @param kept where what the command wrote stays; null: it wrote nothing */
function lost({ address }: Connection, kept: string | null): LabError {
  return new LabError(`the connection to ${address} was lost; what ran there ends as on Ctrl-C`, {
    hint: kept === null ? "cloison ls tells what is left of it" : `what it has written is kept there, in ${kept}`,
  });
}

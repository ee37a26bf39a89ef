import { createHash } from "node:crypto";
import type { Command, Finished, Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { parseHostAddress } from "../model/host-address.ts";
import { connectionError, sendingError } from "./complaints.ts";

/** A machine that ssh reaches, over one connection for everything (ControlMaster of ssh_config(5)). */
export interface Connection {
  /** As the user wrote it. */
  address: string;
  /** A command line that runs a shell script there. */
  argv(script: string, args?: string[], options?: { terminal?: boolean }): [string, ...string[]];
  /** Runs a script there to its end. */
  run(script: string, args?: string[], options?: Pick<Command, "stdin" | "timeoutMs" | "signal">): Promise<Finished>;
  /** Copies a file to there. */
  send(here: string, there: string): Promise<void>;
  /**
   * Makes a Unix socket here that leads to one there, until it is let go or the connection ends.
   * @returns what lets it go
   */
  forward(here: string, there: string): Promise<() => Promise<void>>;
}

interface ConnectOptions {
  /** Where the connection's socket is. */
  directory: string;
  /** Passwords and unknown host keys may be asked for. */
  interactive: boolean;
  signal?: AbortSignal | undefined;
}

/** It stays for so long after the last command, for the next. */
const PERSIST_S = 60;

/** What ssh's user configuration does not decide: everything about keys is as it says there. */
const OPTIONS = [
  ["ControlPersist", `${PERSIST_S}`],
  // A connection that is dead is told within half a minute.
  ["ServerAliveInterval", "10"],
  ["ServerAliveCountMax", "3"],
  ["ConnectTimeout", "10"],
  ["ClearAllForwardings", "yes"],
];
const FORWARDING = OPTIONS.filter(([key]) => key !== "ClearAllForwardings");

/**
 * Connects, or finds the connection of an earlier command.
 * @throws LabError that says why there is none
 */
export async function connect(host: Host, address: string, options: ConnectOptions): Promise<Connection> {
  const { login, target } = destination(address);
  await host.files.makeDirectory(options.directory);
  // Short: a socket's path has 107 bytes, of which ssh takes 17 while it makes one.
  const name = createHash("sha256").update(address).digest("hex").slice(0, 12);
  const socket = `${options.directory}/${name}`;
  const ssh = (more: string[][], options = OPTIONS): [string, ...string[]] => [
    "ssh",
    ...[["ControlPath", socket], ...options, ...more].flatMap(([key, value]) => ["-o", `${key}=${value}`]),
  ];
  // Without ControlMaster a connection that went away meanwhile is not made anew unseen.
  const silent = [
    ["ControlMaster", "no"],
    ["BatchMode", "yes"],
    // Else it says good-bye on a terminal.
    ["LogLevel", "ERROR"],
  ];
  const connection: Connection = {
    address,
    argv(script, args = [], { terminal = false } = {}) {
      return [...ssh(silent), terminal ? "-tt" : "-T", ...target, shellLine(script, args)];
    },
    run: (script, args, given) => host.processes.run({ argv: connection.argv(script, args), ...given }),
    async send(here, there) {
      const { code, stderr } = await host.processes.run({
        argv: ["bash", "-c", 'exec "${@:2}" <"$1"', "send", here, ...connection.argv('cat >"$1"', [there])],
      });
      if (code !== 0) throw sendingError(address, there, stderr);
    },
    async forward(here, there) {
      // First come, first served: a forwarding of its own would be cleared, too.
      const ask = (what: string) =>
        host.processes.run({
          argv: [...ssh([["ControlMaster", "no"]], FORWARDING), "-O", what, "-L", `${here}:${there}`, ...target],
          timeoutMs: 30_000,
        });
      // The connection keeps what a command that was killed has left.
      await ask("cancel");
      await host.files.remove(here);
      const { code, stderr } = await ask("forward");
      if (code !== 0) {
        throw new LabError(`${address}: no socket of it can be reached from here: ${stderr.trim()}`, {
          hint: "its sshd has to allow AllowStreamLocalForwarding",
          exit: ExitCode.unavailable,
        });
      }
      return async () => {
        await ask("cancel");
        await host.files.remove(here);
      };
    },
  };
  await open(host, { address, login, ...options }, [
    ...ssh([
      ["ControlMaster", "auto"],
      ["BatchMode", options.interactive ? "no" : "yes"],
    ]),
    "-T",
    ...target,
    "true",
  ]);
  return connection;
}

/** ssh asks on the terminal itself, of which it must have the foreground; what it complains of is kept apart. */
async function open(
  host: Host,
  { address, login, directory, interactive, signal }: ConnectOptions & { address: string; login: string },
  argv: [string, ...string[]],
): Promise<void> {
  const complaints = `${directory}/complaints-${process.pid}`;
  const finished = await host.processes.run({
    argv: interactive ? ["sh", "-c", 'said=$1; shift; exec "$@" 2>"$said"', "sh", complaints, ...argv] : argv,
    ...(interactive ? { output: "inherit" } : { timeoutMs: 30_000 }),
    ...(signal === undefined ? {} : { signal }),
  });
  const said = interactive ? ((await host.files.readTextIfExists(complaints)) ?? "") : finished.stderr;
  await host.files.remove(complaints);
  if (finished.code !== 0) throw connectionError(address, login, said);
}

/** What `ssh` takes for an address, and how a user would write it. */
export function destination(address: string): { login: string; target: string[] } {
  const parsed = parseHostAddress(address);
  if (parsed === null) {
    throw new LabError(`${address} is no host`, {
      hint: "write ssh://name, ssh://user@name or ssh://user@name:port",
      exit: ExitCode.usage,
    });
  }
  const { user, name, port } = parsed;
  const options = [...(port === null ? [] : ["-p", `${port}`]), ...(user === null ? [] : ["-l", user])];
  return { login: [...options, name].join(" "), target: [...options, "--", name] };
}

/** One line for whatever shell the user has there. */
export function shellLine(script: string, args: string[]): string {
  return ["exec", "bash", "-c", script, "cloison", ...args].map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w./=:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

import type { Command } from "./host.ts";

/** What has to be known of the machine to write a command line. */
export interface CommandContext {
  /** Directories of the command's control group, already made. */
  cgroupDirectories: string[];
  /** File of the command's network namespace. */
  namespacePath: string | null;
  /** A program that outlives this process keeps its deadline by itself; any other is ended when this process dies. */
  detached: boolean;
}

/** The starter's own timer comes first while it lives, and tells a timeout from another end. */
const BACKSTOP_MS = 1000;

/**
 * The argv that enters what the command asks for, each program replacing itself with the next: the pid stays
 * (but that of a detached program with a deadline is timeout(1)'s, which leads its process group).
 * The control group comes first, so that nothing that follows is unaccounted for. Not `ip netns exec`: it mounts /sys
 * anew, without control groups.
 */
export function commandLine(command: Command, context: CommandContext): [string, ...string[]] {
  const { cgroupDirectories, namespacePath, detached } = context;
  const prefixes: string[][] = [];
  if (cgroupDirectories.length > 0) {
    // $$ is the shell's own pid; `exec` keeps it.
    const script =
      'pid=$$; n=$1; shift; while [ "$n" -gt 0 ]; do echo "$pid" >"$1" || exit 125; shift; n=$((n-1)); done; exec "$@"';
    const files = cgroupDirectories.map((directory) => `${directory}/cgroup.procs`);
    prefixes.push(["sh", "-c", script, "join-cgroups", String(files.length), ...files]);
  }
  // The signal leaves it time to clean up; a program that ignores it is in a control group, or should be.
  if (!detached) prefixes.push(["setpriv", "--pdeathsig", "TERM", "--"]);
  if (command.cpus !== undefined) prefixes.push(["taskset", "-c", command.cpus.join(",")]);
  if (command.nice !== undefined) prefixes.push(["nice", "-n", String(command.nice)]);
  if (detached && command.timeoutMs !== undefined) {
    const seconds = (command.timeoutMs + BACKSTOP_MS) / 1000;
    prefixes.push(["timeout", "--signal=KILL", `${seconds}s`]);
  }
  if (namespacePath !== null) prefixes.push(["nsenter", `--net=${namespacePath}`, "--"]);
  const [program = "", ...rest] = [...prefixes.flat(), ...command.argv];
  return [program, ...rest];
}

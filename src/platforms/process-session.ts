import type { Host } from "../host/host.ts";

/** A session that forks faster than it is listed is given up after so many rounds; the domain's own end ends it. */
const ROUNDS = 50;

const PID_POLL_MS = 20;

/**
 * Kills every process of a control group that belongs to the session that `leader` leads, until none is left.
 * For programs whose starter cannot signal all that they have become.
 */
export async function killSession(host: Host, group: string, leader: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const pids = await host.cgroups.pids(group);
    const sessions = await Promise.all(pids.map((pid) => sessionOf(host, pid)));
    const members = pids.filter((_, i) => sessions[i] === leader);
    if (members.length === 0) return;
    // The shell's own `kill`: Debian's program of that name is in a package that may be missing. One may have ended meanwhile.
    await host.processes.run({ argv: ["sh", "-c", 'kill -KILL "$@"', "kill", ...members.map(String)] });
    await host.clock.sleep(2 * round);
  }
}

/**
 * Sends SIGTERM to a program once that is asked for, and it has a pid; until it is over.
 * @param pidOf null: it has none yet
 */
export async function endWhenAsked(
  host: Host,
  end: AbortSignal | undefined,
  over: AbortSignal,
  pidOf: () => Promise<number | null>,
): Promise<void> {
  if (end === undefined) return;
  await whenAborted(AbortSignal.any([end, over]));
  while (!over.aborted) {
    const pid = await pidOf();
    if (pid !== null) {
      // It may have ended meanwhile.
      await host.processes.run({ argv: ["sh", "-c", 'kill -TERM "$1"', "kill", String(pid)] });
      return;
    }
    await host.clock.sleep(PID_POLL_MS);
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Field 6 of /proc/PID/stat; null when the process is gone or a zombie. The second field may hold spaces and parentheses. */
async function sessionOf(host: Host, pid: number): Promise<number | null> {
  const stat = await host.files.readTextIfExists(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const [state, , , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? null : Number(session);
}

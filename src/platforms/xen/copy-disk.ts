import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import { copy } from "../guest/saved-machine.ts";
import { writeOut } from "../guest/write-out.ts";
import type { Workspace } from "../platform.ts";
import { guestOf } from "./domain-end.ts";
import { findDomain } from "./toolstack.ts";
import { xenPaths } from "./xen-paths.ts";

/**
 * Stops a domain ($STOP), has its QEMU write down what it holds of the disk, copies that, and lets the domain go on, whatever it
 * was that ended it. xl is out of reach of a signal to this group: one that is cut off while it saves would leave the domain
 * suspended.
 */
const whileStopped = (stop: string) => `id=$1 was=$2 disk=$3 to=$4 memory=$5
go_on() {
  xl qemu-monitor-command "$id" cont
  [ "$was" = paused ] || xl unpause "$id"
}
trap go_on EXIT
trap 'exit 143' TERM INT HUP
${stop}
xl qemu-monitor-command "$id" stop
cp --sparse=always --reflink=auto "$disk" "$to"`;

const PAUSED = whileStopped('xl pause "$id"');
const SAVED = whileStopped('setsid --wait xl save -p "$id" "$memory"');

/** Copies what a domain has written over its image's disk; one that runs writes everything out first, and stands still meanwhile. */
export async function copyDisk(
  host: Host,
  workspace: Workspace,
  name: string,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  const { uuid, disk } = xenPaths(workspace, name);
  const found = await findDomain(host, uuid);
  if (found === null || found.state === "ended") return copy(host, disk, to, signal);
  if (found.state === "running") await writeOut(host, guestOf(host, workspace, name));
  await stopped(host, name, PAUSED, [`${found.id}`, found.state, disk, to, ""], signal);
}

/** The disk and the memory of a domain that runs, of one moment. @param goesOn afterwards; else it stands still */
export async function copyWithMemory(
  host: Host,
  name: string,
  id: number,
  disk: string,
  to: { disk: string; memory: string },
  { goesOn, signal }: { goesOn: boolean; signal?: AbortSignal | undefined },
): Promise<void> {
  await stopped(host, name, SAVED, [`${id}`, goesOn ? "running" : "paused", disk, to.disk, to.memory], signal);
}

/** By SIGTERM the script lets the domain go on; that comes also from the kernel, when this process dies. It is waited for. */
async function stopped(host: Host, name: string, script: string, args: string[], signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const running = await host.processes.start({ argv: ["sh", "-euc", script, "copy", ...args] });
  const over = new AbortController();
  if (signal?.aborted === true) running.kill("SIGTERM");
  signal?.addEventListener("abort", () => running.kill("SIGTERM"), { signal: over.signal });
  const { code, stderr } = await running.exited;
  over.abort();
  signal?.throwIfAborted();
  if (code !== 0)
    throw new LabError(`domain ${name} could not be copied: ${stderr.trim().split("\n").slice(-5).join("\n")}`);
}

import type { Host } from "../../host/host.ts";
import { LabError } from "../../model/error.ts";
import { execInGuest } from "../guest/exec.ts";
import { BUSYBOX } from "../guest/guest-configuration.ts";
import { copy } from "../guest/saved-machine.ts";
import type { Workspace } from "../platform.ts";
import { guestOf, guestPaths, type GuestPaths } from "./guest-paths.ts";
import { askMonitor, statusOf } from "./monitor.ts";
import { whileStopped } from "./while-stopped.ts";

/** A guest with much to write, and little to do so with. */
const SYNC_MS = 120_000;

export async function runs(host: Host, workspace: Workspace, name: string): Promise<boolean> {
  return (await host.cgroups.pids(`${workspace.cgroup}/${name}`)).length > 0;
}

/** Copies what a domain has written over its image's disk; one that runs writes everything out first, and stands still meanwhile. */
export async function copyDisk(
  host: Host,
  workspace: Workspace,
  name: string,
  to: string,
  signal?: AbortSignal,
): Promise<void> {
  const paths = guestPaths(workspace, name);
  if (!(await runs(host, workspace, name))) return copy(host, paths.disk, to, signal);
  await writeOut(host, workspace, name, paths);
  await whileStopped(host, name, paths, () => copy(host, paths.disk, to, signal));
}

/** What programs wrote lies in the guest's memory for half a minute. One that is paused is copied as it is. */
async function writeOut(host: Host, workspace: Workspace, name: string, paths: GuestPaths): Promise<void> {
  const [status] = (await askMonitor(host, paths, [{ execute: "query-status" }])) ?? [];
  if (statusOf(status) !== "running") return;
  const { code, timedOut } = await execInGuest(host, guestOf(host, workspace, name), [BUSYBOX, "sync"], {
    timeoutMs: SYNC_MS,
  });
  if (code === 0) return;
  throw new LabError(`domain ${name} ${timedOut ? "is not done with writing" : "cannot write"} its files to its disk`, {
    hint: "one that is paused is copied as it is: cloison pause",
  });
}

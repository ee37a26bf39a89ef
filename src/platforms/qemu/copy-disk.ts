import type { Host } from "../../host/host.ts";
import { copy } from "../guest/saved-machine.ts";
import { writeOut } from "../guest/write-out.ts";
import type { Workspace } from "../platform.ts";
import { guestOf, guestPaths } from "./guest-paths.ts";
import { askMonitor, statusOf } from "./monitor.ts";
import { whileStopped } from "./while-stopped.ts";

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
  const [status] = (await askMonitor(host, paths, [{ execute: "query-status" }])) ?? [];
  // One that is paused is copied as it is.
  if (statusOf(status) === "running") await writeOut(host, guestOf(host, workspace, name));
  await whileStopped(host, name, paths, () => copy(host, paths.disk, to, signal));
}

import type { Host } from "../../host/host.ts";
import type { Guest } from "../guest/agent-lines.ts";
import { endByConsole, linesOf } from "../guest/console.ts";
import type { Workspace } from "../platform.ts";
import { findDomain, readStore } from "./toolstack.ts";
import { xenPaths, type XenPaths } from "./xen-paths.ts";

/** A domain, for whoever runs programs in it. */
export function guestOf(host: Host, workspace: Workspace, name: string): Guest {
  const paths = xenPaths(workspace, name);
  return { name, lines: paths.lines, describeEnd: () => describeEnd(host, paths) };
}

/** What ended a domain, or keeps it from coming up; its own words are only that. */
export async function describeEnd(host: Host, paths: XenPaths): Promise<string> {
  const console = await linesOf(host, paths.console);
  const told = endByConsole(console);
  if (told !== null) return told;
  if ((await findDomain(host, paths.uuid)) !== null) return "its QEMU in dom0, which serves its disk, was killed";
  return console.length === 0
    ? "it ended before it said anything, as one does whose kernel has too little memory"
    : "it was destroyed by somebody, was reset, or switched itself off";
}

/** Whether the QEMU that serves the domain's disk is among these processes. */
export async function isServed(host: Host, id: number, pids: readonly number[]): Promise<boolean> {
  const pid = await readStore(host, `/local/domain/${id}/image/device-model-pid`);
  return pid !== null && pids.includes(Number(pid));
}

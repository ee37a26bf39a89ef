import { createHash } from "node:crypto";
import type { LabContext } from "./context.ts";
import { fencesDirectory } from "./paths.ts";

/** A command that ends a host, for one host. */
export interface Fence {
  /** The host's address. */
  host: string;
  /** Of a shell. */
  command: string;
}

/** That a fence was shown to work: the host was there, the command said that it was done, and the host has begun another life. */
export interface ShownFence extends Fence {
  shownAt: string;
}

/** null: it was never shown to work, or has failed since. */
export async function readShownFence({ host, paths }: LabContext, fence: Fence): Promise<ShownFence | null> {
  const text = await host.files.readTextIfExists(fileOf(fencesDirectory(paths), fence));
  // Written by replaceText: whole, or not there.
  return text === null ? null : (JSON.parse(text) as ShownFence);
}

export async function recordShownFence({ host, paths }: LabContext, shown: ShownFence): Promise<void> {
  await host.files.replaceText(fileOf(fencesDirectory(paths), shown), JSON.stringify(shown));
}

export async function forgetShownFence({ host, paths }: LabContext, fence: Fence): Promise<void> {
  await host.files.remove(fileOf(fencesDirectory(paths), fence));
}

/** What was shown of one command, or of one host, says nothing of another. */
function fileOf(directory: string, { host, command }: Fence): string {
  return `${directory}/${createHash("sha256").update(`${host}\0${command}`).digest("hex").slice(0, 32)}.json`;
}

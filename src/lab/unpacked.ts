import { dirname } from "node:path";
import type { LabContext } from "./context.ts";
import { backupDirectory } from "./paths.ts";

/** Labs of which something is being packed or unpacked, or was when whoever did it was killed. */
export async function labsUnpacked({ host, paths }: LabContext): Promise<string[]> {
  return host.files.list(dirname(backupDirectory(paths, "any")));
}

/** Removes what was packed or unpacked of a lab. The caller holds its lock. Idempotent. */
export async function removeUnpacked({ host, paths }: LabContext, lab: string): Promise<void> {
  await host.files.remove(backupDirectory(paths, lab));
}

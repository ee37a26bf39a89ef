import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prepareProgram, type Ended } from "../sandbox.ts";
import type { XenHost } from "./xen-host.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What the bundle finds in node_modules when a lab is brought up. */
const PACKAGES = ["koffi", "@koromix"];

/**
 * Puts the program into dom0, with this machine's own Node.js: that of Debian 12 is too old. Its libraries are in dom0's root.
 * Copied to dom0's disk: a file system over virtio has no cache, and the program is compiled once for each verb.
 */
export async function bringProgram(xen: XenHost): Promise<(command: string, timeoutMs?: number) => Promise<Ended>> {
  prepareProgram();
  const brought = join(xen.brought, "program");
  mkdirSync(join(brought, "dist"), { recursive: true });
  for (const name of ["cloison.cjs", "program.cjs", "responder.cjs"])
    cpSync(join(root, "dist", name), join(brought, "dist", name), { preserveTimestamps: true });
  cpSync(join(root, "package.json"), join(brought, "package.json"));
  cpSync(join(root, "guest"), join(brought, "guest"), { recursive: true });
  for (const name of PACKAGES)
    cpSync(join(root, "node_modules", name), join(brought, "node_modules", name), { recursive: true });
  cpSync(process.execPath, join(brought, "node"));
  await xen.must("cp -rp /brought/program /opt/cloison && /opt/cloison/node --version");
  return (command, timeoutMs = 120_000) =>
    xen.run(`CLOISON_NO_INSTALL=1 /opt/cloison/node /opt/cloison/dist/cloison.cjs ${command}`, { timeoutMs });
}

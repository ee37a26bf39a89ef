import type { Exit } from "../platforms/platform.ts";
import type { AppContext } from "./context.ts";
import { findDomain } from "./inspect.ts";

/** Runs a program inside a domain, on the user's own streams. */
export async function exec(
  app: AppContext,
  lab: string,
  name: string,
  argv: [string, ...string[]],
  options: { terminal: boolean; capture?: boolean; user?: string; signal: AbortSignal },
): Promise<Exit> {
  const { plan, domain, platform, workspace } = await findDomain(app, lab, name);
  return platform.exec(app.host, workspace, plan, domain, argv, {
    output: options.capture ? "capture" : "inherit",
    terminal: options.terminal,
    signal: options.signal,
    ...(options.user === undefined ? {} : { user: options.user }),
  });
}

/** A shell for the user: bash where the domain has it. */
export const CONSOLE_ARGV: [string, ...string[]] = [
  "/bin/sh",
  "-c",
  "command -v bash >/dev/null && exec bash -l || exec sh -l",
];

/** What the services of a domain have printed. */
export async function logs(app: AppContext, lab: string, name: string): Promise<{ file: string; text: string }> {
  const { domain, platform, workspace } = await findDomain(app, lab, name);
  const file = platform.logFile(workspace, domain.name);
  return { file, text: (await app.host.files.readTextIfExists(file)) ?? "" };
}

import { LabError } from "../../model/error.ts";
import type { DomainRow, LabRow } from "../inspect.ts";
import type { AppContext } from "../context.ts";
import { reach } from "./forward.ts";
import { recordedLabs } from "./user-folders.ts";

/** A lab on another host. Of one that can't be reached nothing is known but that it was made. */
export type RemoteLabRow = Omit<LabRow, "state"> & { state: LabRow["state"] | "unreachable"; host: string };

const ANSWER_MS = 30_000;

/** The labs of other hosts that were made from here. One that is gone there is forgotten. */
export async function listRemoteLabs(app: AppContext): Promise<RemoteLabRow[]> {
  const recorded = recordedLabs(app);
  const rows = [...(await recorded.byHost())].map(async ([host, labs]): Promise<RemoteLabRow[]> => {
    const there = await ask<LabRow[]>(app, host, ["ls"]);
    const found: RemoteLabRow[] = [];
    for (const lab of labs) {
      const row = there?.find((one) => one.lab === lab);
      if (there !== null && row === undefined) await recorded.forget(lab);
      else if (row !== undefined) found.push({ ...row, host });
      else found.push({ lab, platform: null, domains: null, running: null, state: "unreachable", host });
    }
    return found;
  });
  return (await Promise.all(rows)).flat();
}

/** The domains of those labs, where their hosts answer. */
export async function listRemoteDomains(app: AppContext): Promise<DomainRow[]> {
  const rows = [...(await recordedLabs(app).byHost())].map(async ([host, labs]) => {
    const there = await ask<DomainRow[]>(app, host, ["ps"]);
    return (there ?? []).filter(({ lab }) => labs.includes(lab));
  });
  return (await Promise.all(rows)).flat();
}

/** A command's answer; null: the host has none, and why is said. */
async function ask<T>(app: AppContext, address: string, argv: string[]): Promise<T | null> {
  try {
    const { connection, installed } = await reach(app, address, { terminal: false, needsDatabase: false });
    const line = [...installed.argv, ...argv, "--json", "--host", "local"];
    const { code, stdout, stderr } = await connection.run('exec "$@"', line, { timeoutMs: ANSWER_MS });
    if (code !== 0) throw new LabError(`${address}: ${stderr.trim()}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same program wrote it
    return JSON.parse(stdout) as T;
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    app.say(error.message);
    return null;
  }
}

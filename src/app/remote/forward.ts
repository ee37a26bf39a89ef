import { labNames } from "../../lab/inventory.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { connect, type Connection } from "../../remote/connection.ts";
import { install, type Installed } from "../../remote/install.ts";
import { databasePart, programPart } from "../../remote/parts.ts";
import { runOnHost, type RemoteCommand } from "../../remote/session.ts";
import type { AppContext } from "../context.ts";
import { connectionFolder, recordedLabs } from "./user-folders.ts";

interface Forwarded extends Omit<RemoteCommand, "workingDirectory"> {
  /** The lab that the command makes there; null: none. */
  makes: string | null;
  /** The lab that the command removes there; null: none. */
  removes: string | null;
  /** It reads samples there. */
  needsDatabase: boolean;
}

/** Runs a command on another host as if it ran here. @returns its exit code */
export async function forward(app: AppContext, address: string, command: Forwarded): Promise<number> {
  if (command.makes !== null) await requireFree(app, command.makes, address);
  const { connection, installed } = await reach(app, address, command);
  const labs = recordedLabs(app);
  const isNew = command.makes !== null && (await labs.hostOf(command.makes)) === null;
  // Before it is begun: of an `up` that is cut off `down` finds what is left.
  if (command.makes !== null) await labs.record(command.makes, address);
  const code = await runOnHost(app.host, connection, installed, { ...command, workingDirectory: app.workingDirectory });
  const failed = code !== ExitCode.ok && code !== ExitCode.interrupted;
  if (command.makes !== null && isNew && failed) await labs.forget(command.makes);
  if (command.removes !== null && code === ExitCode.ok) await labs.forget(command.removes);
  return code;
}

/** Connects, and makes sure that Cloison is there. */
export async function reach(
  app: AppContext,
  address: string,
  options: { terminal: boolean; signal?: AbortSignal; needsDatabase: boolean },
): Promise<{ connection: Connection; installed: Installed }> {
  const { host, root } = app;
  const connection = await connect(host, address, {
    directory: connectionFolder(app),
    interactive: options.terminal,
    signal: options.signal,
  });
  const installed = await install(host, connection, {
    program: await programPart(host, root),
    database: options.needsDatabase ? await databasePart(host, root) : null,
    node: app.node,
    architecture: (await host.processes.must({ argv: ["uname", "-m"] })).trim(),
    signal: options.signal,
    say: app.say,
  });
  return { connection, installed };
}

/** A name stands for one lab: `ps NAME` would not know which is meant. */
async function requireFree(app: AppContext, lab: string, address: string): Promise<void> {
  const known = await recordedLabs(app).hostOf(lab);
  const where = known === address ? null : (known ?? ((await labNames(app)).includes(lab) ? "this machine" : null));
  if (where === null) return;
  throw new LabError(`there is a lab ${lab} on ${where} already`, {
    hint: `cloison down ${lab} removes it; or give this one another name`,
    exit: ExitCode.usage,
  });
}

import { dirname, join, resolve } from "node:path";
import { OWN, placeOf, readMoves } from "../../lab/moves.ts";
import type { AppContext } from "../context.ts";
import { recordedLabs } from "./user-folders.ts";

/** What a lab file says of where its lab is. */
interface LabPlace {
  /** null: on this machine. */
  address: string | null;
  name: string | null;
}

/**
 * What a command's lab file says. One that is not there, or names no other host, is for the command itself to read; only that
 * of another host is looked at closely here, and without the images, which that host has.
 * @param isElsewhere the command goes to another host, whatever the file says
 */
export async function placeOfFile(app: AppContext, path: string, isElsewhere: boolean): Promise<LabPlace> {
  const here = { address: null, name: null };
  const file = resolve(app.workingDirectory, path);
  if ((await app.host.files.kind(file)) === "directory") return here;
  const text = await app.host.files.readTextIfExists(file);
  if (text === null || (!isElsewhere && !text.includes("ssh://"))) return here;
  // Most commands name a lab, and need no schemas, which take longer to load than a small lab to remove.
  const { parseFile } = await import("../../files/parse.ts");
  const { labSchema } = await import("../../model/lab.ts");
  const { name, host } = parseFile(path, text, labSchema).value;
  return { address: host.address ?? null, name };
}

/** The lab file that an experiment names, absolute; null: the file names none. */
export async function labOfExperiment(app: AppContext, path: string): Promise<string | null> {
  const file = resolve(app.workingDirectory, path);
  if ((await app.host.files.kind(file)) === "directory") return null;
  const text = await app.host.files.readTextIfExists(file);
  if (text === null) return null;
  const z = await import("zod");
  const { parseFile } = await import("../../files/parse.ts");
  const { lab } = parseFile(path, text, z.looseObject({ lab: z.string().optional() })).value;
  return lab === undefined ? null : resolve(dirname(file), lab);
}

/** The lab that a backup is of. */
export async function labOfBackup(app: AppContext, path: string): Promise<string> {
  const { readBackupManifest } = await import("../../lab/backup-file.ts");
  const { requirePackages } = await import("../packages.ts");
  await requirePackages(app, ["tar", "zstd"]);
  return (await readBackupManifest(app.host, resolve(app.workingDirectory, path))).lab;
}

/** An image's file and what it names, absolute. */
export async function filesOfImage(app: AppContext, path: string): Promise<string[]> {
  const { parseImageConfiguration } = await import("../../files/image-file.ts");
  const { readText } = await import("../read-files.ts");
  const { files, hooks } = parseImageConfiguration(path, await readText(app, path));
  const named = Object.values(files).flatMap((file) => ("from" in file ? [file.from] : []));
  const file = resolve(app.workingDirectory, path);
  return [file, ...[...named, ...(hooks === undefined ? [] : [hooks])].map((one) => resolve(dirname(file), one))];
}

/** No lab has such a name. */
export const isFile = (nameOrFile: string) => /[./]/.test(nameOrFile);

/** A lab by its name. */
export async function placeOfName(app: AppContext, name: string): Promise<LabPlace> {
  return { address: await recordedLabs(app).hostOf(name), name };
}

/** The host that a domain of a lab of this machine was moved to; null: it is with its lab. */
export async function placeOfDomain(app: AppContext, lab: string, domain: string): Promise<string | null> {
  const { [domain]: move } = await readMoves(app, lab);
  return move === undefined || placeOf(move) === OWN ? null : placeOf(move);
}

/** A run that was begun before has its lab's file. */
export const labOfRun = (folder: string) => join(folder, "lab.yaml");

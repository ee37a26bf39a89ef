import { dirname } from "node:path";
import * as z from "zod";
import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { NAME_PATTERN } from "../model/name-pattern.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import { snapshotsDirectory, type Paths } from "./paths.ts";

const manifestSchema = z.strictObject({
  schema: z.literal("cloison.snapshot/1"),
  lab: z.string(),
  domain: z.string(),
  name: z.string(),
  createdAt: z.iso.datetime(),
  platform: z.enum(PLATFORM_NAMES),
  image: z.string().describe("what the lab calls the domain's image"),
  imageKey: z.string().describe("of the image in the store: only on this one the snapshot fits"),
  comment: z.string().nullable(),
  memory: z.boolean().default(false).describe("the domain goes on where it was, instead of being started"),
  bytes: z.int().describe("of what is kept"),
  checksum: z.string().describe("sha256 of what sha256sum says of the files that are kept"),
});

/** A snapshot of a domain: `snapshot.json` beside `data/`, which is the platform's. */
export type Snapshot = z.output<typeof manifestSchema>;

/** What a snapshot is found by. */
export type SnapshotName = Pick<Snapshot, "lab" | "domain" | "name">;

/** Where one is kept: not in the lab's folder, since it outlives the lab. */
export function snapshotDirectory(paths: Paths, { lab, domain, name }: SnapshotName) {
  return `${snapshotsDirectory(paths)}/${lab}/${domain}/${name}`;
}

/**
 * All of the machine, or those of a lab or a domain; oldest first.
 * @param onDamaged hears of those that cannot be read; absent: the first ends it with a LabError
 */
export async function listSnapshots(
  host: Host,
  paths: Paths,
  { lab, domain }: Partial<Pick<SnapshotName, "lab" | "domain">> = {},
  onDamaged?: (snapshot: SnapshotName, error: LabError) => void,
): Promise<Snapshot[]> {
  const top = snapshotsDirectory(paths);
  const found: Snapshot[] = [];
  for (const oneLab of lab === undefined ? await namesIn(host, top) : [lab]) {
    for (const oneDomain of domain === undefined ? await namesIn(host, `${top}/${oneLab}`) : [domain]) {
      for (const name of await namesIn(host, `${top}/${oneLab}/${oneDomain}`)) {
        const of = { lab: oneLab, domain: oneDomain, name };
        try {
          found.push(await readSnapshot(host, paths, of));
        } catch (error) {
          if (onDamaged === undefined || !(error instanceof LabError)) throw error;
          onDamaged(of, error);
        }
      }
    }
  }
  return found.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
}

/** @throws LabError when there is none of that name, or what it is called is no name */
export async function requireSnapshot(host: Host, paths: Paths, of: SnapshotName): Promise<void> {
  // What is no name may be a path.
  const isName = [of.lab, of.domain, of.name].every((part) => NAME_PATTERN.test(part));
  const names = isName ? await namesIn(host, `${snapshotsDirectory(paths)}/${of.lab}/${of.domain}`) : [];
  if (names.includes(of.name)) return;
  throw new LabError(`domain ${of.domain} of lab ${of.lab} has no snapshot ${of.name}`, {
    hint: names.length === 0 ? "it has none" : `it has ${names.join(", ")}`,
    exit: ExitCode.usage,
  });
}

/** @throws LabError when there is none of that name, or it cannot be read */
export async function readSnapshot(host: Host, paths: Paths, of: SnapshotName): Promise<Snapshot> {
  await requireSnapshot(host, paths, of);
  const text = (await host.files.readTextIfExists(`${snapshotDirectory(paths, of)}/snapshot.json`)) ?? "";
  const parsed = manifestSchema.safeParse(jsonOrNull(text));
  if (parsed.success) return parsed.data;
  throw new LabError(`snapshot ${of.name} of domain ${of.domain} cannot be read: its snapshot.json is damaged`, {
    hint: `cloison snapshot remove ${of.lab} ${of.domain} ${of.name}`,
  });
}

/** Writes the manifest of what lies in `<directory>/data`, which becomes a snapshot when the directory gets its place. */
export async function sealSnapshot(
  host: Host,
  directory: string,
  facts: Omit<Snapshot, "schema" | "bytes" | "checksum">,
): Promise<Snapshot> {
  const taken = await stock(host, directory);
  const snapshot: Snapshot = { schema: "cloison.snapshot/1", ...facts, ...taken };
  await host.files.replaceText(`${directory}/snapshot.json`, `${JSON.stringify(snapshot, null, 2)}\n`);
  return snapshot;
}

/** Removes one, damaged or not, for good, and the folders that have become empty with it. */
export async function discardSnapshot(host: Host, paths: Paths, snapshot: SnapshotName): Promise<void> {
  let directory = snapshotDirectory(paths, snapshot);
  // A removal that is cut off leaves one that is listed, and can be removed.
  await host.files.remove(`${directory}/data`);
  await host.files.remove(directory);
  while ((directory = dirname(directory)) !== paths.state && (await host.files.list(directory)).length === 0) {
    await host.files.remove(directory);
  }
}

/** @throws LabError when what is kept is not what was kept */
export async function verifySnapshot(host: Host, paths: Paths, snapshot: Snapshot): Promise<void> {
  const { checksum } = await stock(host, snapshotDirectory(paths, snapshot));
  if (checksum === snapshot.checksum) return;
  throw new LabError(`snapshot ${snapshot.name} of domain ${snapshot.domain} is damaged: its files have changed`, {
    hint: "the domain goes on as it is; another snapshot may be whole",
  });
}

async function stock(host: Host, directory: string): Promise<Pick<Snapshot, "bytes" | "checksum">> {
  const script = `cd "$1/data"; find . -type f -printf '%s\\n' | awk '{ n += $1 } END { print n + 0 }'
find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum | sha256sum | cut -d' ' -f1
sync -f .`;
  const [bytes, checksum = ""] = (await host.processes.must({ argv: ["sh", "-ec", script, "sh", directory] })).split(
    "\n",
  );
  return { bytes: Number(bytes), checksum };
}

async function namesIn(host: Host, directory: string): Promise<string[]> {
  return (await host.files.list(directory)).filter((name) => NAME_PATTERN.test(name)).toSorted();
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

import { basename, dirname } from "node:path";
import * as z from "zod";
import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { namedImageSchema } from "../model/named-image.ts";
import { nameSchema } from "../model/name.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";

const SCHEMA = "cloison.backup/1";
const MANIFEST = "backup.json";
const imageKey = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  lab: nameSchema,
  createdAt: z.iso.datetime(),
  platform: z.enum(PLATFORM_NAMES),
  labFile: z.string().describe("its text"),
  namedImages: z.record(z.string(), namedImageSchema).describe("those of `cloison image` that the lab file names"),
  domains: z.array(nameSchema).describe("each has its layer in domains/<name>.tar.zst"),
  imageKeys: z.record(z.string(), imageKey).describe("what the lab calls an image → which one it is"),
  withImages: z.boolean().describe("their root file systems are in images/<key>.tar.zst"),
  files: z.record(z.string(), z.string()).describe("path in the archive → sha256"),
});

/** What a backup says of itself: its first file. */
export type BackupManifest = z.output<typeof manifestSchema>;

export const layerFile = (directory: string, domain: string) => `${directory}/domains/${domain}.tar.zst`;
export const imageFile = (directory: string, key: string) => `${directory}/images/${key}.tar.zst`;

const SUMS = "find . -type f ! -name backup.json -print0 | LC_ALL=C sort -z | xargs -0r sha256sum";

/**
 * Makes one file of what lies in the directory. It gets its name when it is whole.
 * @returns its size
 */
export async function packBackup(
  host: Host,
  directory: string,
  facts: Omit<BackupManifest, "schema" | "files">,
  file: string,
  signal?: AbortSignal,
): Promise<number> {
  const run = signal === undefined ? {} : { signal };
  const files = parseSums(await host.processes.must({ argv: ["sh", "-ec", SUMS], cwd: directory, ...run }));
  const manifest: BackupManifest = { schema: SCHEMA, ...facts, files };
  await host.files.writeText(`${directory}/${MANIFEST}`, `${JSON.stringify(manifest, null, 2)}\n`);
  const part = `${dirname(file)}/.${basename(file)}.part`;
  try {
    await host.processes.must({
      argv: [
        "tar",
        "--create",
        "--use-compress-program=zstd -q -T0",
        `--file=${part}`,
        "-C",
        directory,
        MANIFEST,
        ...tops(files),
      ],
      ...run,
    });
    await host.processes.must({ argv: ["sync", part], ...run });
    const bytes = await host.processes.must({ argv: ["stat", "--format=%s", part], ...run });
    await host.files.rename(part, file);
    return Number(bytes);
  } finally {
    await host.files.remove(part);
  }
}

/** Folders of an archive's files. */
function tops(files: Record<string, string>): string[] {
  return [...new Set(Object.keys(files).map((path) => path.split("/", 1)[0] ?? ""))];
}

/** Reads what sha256sum prints. */
export function parseSums(text: string): Record<string, string> {
  const lines = text.split("\n").flatMap((line) => {
    const [, sum, path] = /^([0-9a-f]{64}) [ *]\.\/(.+)$/.exec(line) ?? [];
    return sum === undefined || path === undefined ? [] : [[path, sum] as const];
  });
  return Object.fromEntries(lines);
}

/** Reads what a backup says of itself; the rest of it is not looked at. @throws LabError when the file is none */
export async function readBackupManifest(host: Host, file: string): Promise<BackupManifest> {
  if ((await host.files.kind(file)) !== "file") {
    throw new LabError(`there is no file ${file}`, { exit: ExitCode.usage });
  }
  const { code, stdout, stderr } = await host.processes.run({
    argv: ["tar", "--extract", "--zstd", "--to-stdout", "--occurrence=1", `--file=${file}`, MANIFEST],
  });
  if (code !== 0) throw notWhole(file, stderr);
  return parseManifest(file, stdout);
}

export function parseManifest(file: string, text: string): BackupManifest {
  const value = parseJson(text);
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const schema = typeof value === "object" && value !== null && "schema" in value ? value.schema : null;
  if (typeof schema === "string" && schema !== SCHEMA) {
    throw new LabError(
      `${file} is a backup of another version of cloison: ${schema.slice(0, 60)}, this one reads ${SCHEMA}`,
      {
        hint: "restore it with the cloison that made it",
        exit: ExitCode.usage,
      },
    );
  }
  throw new LabError(`${file} is not a backup of a lab`, {
    hint: "cloison backup LAB FILE makes one",
    exit: ExitCode.usage,
  });
}

/**
 * Takes a backup apart into an empty directory, and compares every file with what the backup says of it.
 * @throws LabError when something is missing, or not as it was written
 */
export async function unpackBackup(host: Host, file: string, directory: string, signal?: AbortSignal): Promise<void> {
  const run = signal === undefined ? {} : { signal };
  const { code, stderr } = await host.processes.run({
    argv: ["tar", "--extract", "--zstd", "--no-same-owner", "--no-same-permissions", `--file=${file}`, "-C", directory],
    ...run,
  });
  if (code !== 0) throw notWhole(file, stderr);
  const { files } = parseManifest(file, await host.files.readText(`${directory}/${MANIFEST}`));
  const found = parseSums(await host.processes.must({ argv: ["sh", "-ec", SUMS], cwd: directory, ...run }));
  for (const path of Object.keys({ ...files, ...found })) {
    if (files[path] === found[path]) continue;
    throw new LabError(`${file} is damaged: ${path} ${path in found ? "is not as it was written" : "is missing"}`, {
      hint: "nothing was changed; another copy of the file may be whole",
    });
  }
}

function notWhole(file: string, complaint: string): LabError {
  const reason = complaint.trim().split("\n").slice(0, 2).join("; ");
  return new LabError(`${file} is not a whole backup: ${reason}`, {
    hint: "nothing was changed; another copy of the file may be whole",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

import type { Command, Finished, Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { ImageSystem, Recipe } from "../model/image.ts";
import { openAptArchive, prepareApt, type AptArchive } from "./apt-archive.ts";
import { isDiskFull } from "./disk-full.ts";

/** A package as apt would install it, by the lists. */
export interface ResolvedPackage {
  name: string;
  version: string;
  /** Name of apt's file for it: `<name>_<version>_<architecture>.deb`, with `%3a` for a colon. */
  file: string;
  /** Its name in Debian's pool, and in the index: without the version's epoch. */
  poolFile: string;
  bytes: number;
}

/** How a program is to be run. */
export interface RunOptions {
  signal?: AbortSignal | undefined;
  cgroup?: string | undefined;
}

/** What apt says when it cannot get at an archive, or finds that it has moved on. */
export class ArchiveUnreachable extends LabError {}

/** Fetches the lists anew, into the store. */
export async function updateLists(
  host: Host,
  archive: AptArchive,
  store: string,
  system: ImageSystem | undefined,
  options: RunOptions,
): Promise<AptArchive> {
  const fresh: AptArchive = { ...archive, lists: `${archive.directory}/lists` };
  await prepareApt(host, fresh);
  const finished = await host.processes.run(apt(fresh, ["apt-get", "update", "-q", "--error-on=any"], options));
  if (finished.code !== 0) throw releaseMissing(fresh, finished) ?? aptError("apt-get update failed", finished);
  await host.files.writeText(`${archive.directory}/fetched.sources`, archive.sources);
  const opened = await openAptArchive(host, store, system);
  await prepareApt(host, opened);
  return opened;
}

/** The packages that a recipe comes to, by the lists; nothing is fetched. Throws LabError naming what the archive does not have. */
export async function resolvePackages(
  host: Host,
  archive: AptArchive,
  recipe: Recipe,
  options: RunOptions,
): Promise<ResolvedPackage[]> {
  const finished = await host.processes.run(
    apt(
      archive,
      [
        "apt-get",
        "install",
        "--print-uris",
        "-qq",
        "-y",
        // Packages that are already there would not be printed.
        "-o",
        `Dir::Cache::archives=${archive.directory}/none/`,
        ...wantedPackages(recipe),
      ],
      options,
    ),
  );
  if (finished.code !== 0) {
    throw tooOld(archive, finished) ?? aptError("apt cannot find the packages of the image", finished);
  }
  return parsePrintedUris(finished.stdout);
}

/** Reads `apt-get install --print-uris`: `'URI' file bytes hash` a line, ordered by package name. */
export function parsePrintedUris(text: string): ResolvedPackage[] {
  const packages: ResolvedPackage[] = [];
  for (const line of text.split("\n")) {
    const [, pool, file, name, version, bytes] =
      /^'[^']*\/([^'/]+)' (([^\s_]+)_([^\s_]+)_[^\s_]+\.deb) (\d+)/.exec(line) ?? [];
    if (pool === undefined || file === undefined || name === undefined || version === undefined) continue;
    packages.push({
      name,
      version: decodeURIComponent(version),
      file,
      poolFile: decodeURIComponent(pool),
      bytes: Number(bytes),
    });
  }
  return packages.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Fetches what is not yet there, checked by apt against the signed lists. */
export async function downloadPackages(
  host: Host,
  archive: AptArchive,
  recipe: Recipe,
  options: RunOptions,
): Promise<void> {
  const finished = await host.processes.run(
    apt(archive, ["apt-get", "install", "--download-only", "-q", "-y", ...wantedPackages(recipe)], options),
  );
  if (finished.code !== 0) throw aptError("the packages of the image could not be fetched", finished);
}

/** What apt is asked for. `?essential` includes apt itself, which libapt treats so. */
export function wantedPackages(recipe: Recipe): string[] {
  // usr-is-merged, else apt may take usrmerge with all of Perl to do what a new root's links do.
  const base = ["?essential", "usr-is-merged", ...(recipe.base === "minbase" ? ["?priority(required)"] : [])];
  return [...base, ...recipe.packages];
}

/** Runs apt's programs with the archive's configuration. */
export function apt(archive: AptArchive, argv: [string, ...string[]], options: RunOptions): Command {
  return {
    argv,
    env: { APT_CONFIG: archive.configuration, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    ...(options.cgroup === undefined ? {} : { cgroup: options.cgroup }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}

/** null: the archive could not be reached, which is another thing. Apt says both, and with 404 only the first is so. */
function releaseMissing({ isForeign, title }: AptArchive, { stdout, stderr }: Finished): LabError | null {
  const said = `${stdout}\n${stderr}`;
  if (!isForeign || !/404 +Not Found|File not found/.test(said) || !/does not have a Release file/.test(said))
    return null;
  return new LabError(`there is no release ${title} in the archive`, {
    hint: "correct release in the image's file: it is a code name, such as bookworm or trixie",
    exit: ExitCode.usage,
  });
}

/** null: not the reason. Releases without merged /usr lack this package, and cannot be built here. */
function tooOld({ title }: AptArchive, { stderr }: Finished): LabError | null {
  if (!/Unable to locate package usr-is-merged/.test(stderr)) return null;
  return new LabError(`${title} is older than the releases that images can be made of`, {
    hint: "take Debian 12 (bookworm) or later, Ubuntu 23.04 or later; older ones by cloison image import",
    exit: ExitCode.usage,
  });
}

/** An error with the end of what apt said. */
export function aptError(what: string, finished: Finished): LabError {
  const end = finished.signal === null ? "" : `\nended by ${finished.signal}`;
  const said = `${finished.stdout}\n${finished.stderr}${end}`;
  const errors = said.split("\n").filter((line) => /^(E|W|Err):?/.test(line));
  const tail = (errors.length > 0 ? errors : said.trim().split("\n")).slice(-6).join("\n");
  const message = `${what}:\n${tail}`;
  if (isDiskFull(said)) return new LabError(message, { hint: "make room on the disk" });
  if (/Unable to locate package|has no installation candidate|Unable to correct problems|unmet dep/.test(said)) {
    return new LabError(message, {
      hint: "correct the image's list of packages; `apt-cache policy NAME` shows what apt knows",
    });
  }
  return new ArchiveUnreachable(message, {
    hint: "see that `apt-get update` works on this machine (network, proxy, sources), then try again",
  });
}

import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import type { ImageSystem } from "../model/image.ts";
import {
  debianCodename,
  debianOwn,
  formatDeb822Sources,
  listFileName,
  parseDeb822Sources,
  parseRelease,
  parseSourcesList,
  type AptSource,
} from "./debian-sources.ts";
import { digest } from "./image-key.ts";
import { keyringOf, systemSources, titleOf } from "./system-sources.ts";

const MACHINE_LISTS = "/var/lib/apt/lists";
const MACHINE_APT = "/etc/apt";

/** Debian's archive as this machine reaches it, with a private place for apt's lists, cache and packages. */
export interface AptArchive {
  /** Apt's own place in the store. */
  directory: string;
  /** For messages: `Debian bookworm`. */
  title: string;
  /** Of another release than the machine's: its lists are in the store, and nothing else renews them. */
  isForeign: boolean;
  codename: string;
  architecture: string;
  /** In deb822 form. */
  sources: string;
  /** Of apt: reads the machine's configuration (proxies, certificates, accounts, pins), runs none of its hooks. */
  configuration: string;
  /** Whose package lists apt reads: the machine's while they are complete, else those fetched into the store. */
  lists: string;
  /** Changes whenever the lists do. */
  stamp: string;
  /** Where downloaded packages are kept; shared by all builds in the store. */
  packagesDirectory: string;
}

/**
 * Finds the machine's way to Debian's archive. Package lists are the machine's own where they are complete; a machine
 * without (a fresh one), or with stale ones, gets its lists in the store: the machine's are never touched.
 */
export async function openAptArchive(host: Host, store: string, wanted?: ImageSystem): Promise<AptArchive> {
  const machine = debianCodename((await host.files.readTextIfExists("/etc/os-release")) ?? "");
  const system = foreignSystem(wanted, machine);
  const codename = system?.release ?? machine;
  const own = await sourcesOf(host, system, machine);
  const directory = aptDirectory(store, system);
  const sources = formatDeb822Sources(own);
  const privateLists = `${directory}/lists`;
  const fetchedFor = await host.files.readTextIfExists(`${directory}/fetched.sources`);
  const [machineStamp, privateStamp, architecture] = await Promise.all([
    system === undefined ? stampOf(host, MACHINE_LISTS, own) : null,
    fetchedFor === sources ? stampOf(host, privateLists, own) : null,
    host.processes.must({ argv: ["dpkg", "--print-architecture"] }),
  ]);
  const usePrivate = privateStamp !== null && (machineStamp === null || privateStamp.newestMs >= machineStamp.newestMs);
  const stamp = usePrivate ? privateStamp : machineStamp;
  return {
    directory,
    title: system === undefined ? `Debian ${codename}` : titleOf(system),
    isForeign: system !== undefined,
    codename,
    architecture: architecture.trim(),
    sources,
    configuration: `${directory}/apt.conf`,
    lists: usePrivate || machineStamp === null ? privateLists : MACHINE_LISTS,
    stamp: stamp === null ? "" : stamp.text,
    packagesDirectory: `${directory}/archives`,
  };
}

/** Apt's own place in the store for one release. */
function aptDirectory(store: string, system: ImageSystem | undefined): string {
  return system === undefined ? `${store}/.apt` : `${store}/.apt/systems/${digest(system).slice(0, 16)}`;
}

/** undefined: the machine's own release, by the machine's own way. */
function foreignSystem(system: ImageSystem | undefined, machine: string): ImageSystem | undefined {
  const isOwn = system?.distribution === "debian" && system.release === machine && system.mirror === undefined;
  return isOwn ? undefined : system;
}

async function sourcesOf(host: Host, system: ImageSystem | undefined, codename: string): Promise<AptSource[]> {
  const known = await machineSources(host);
  const releases = await machineReleases(host);
  if (system !== undefined) {
    const own = systemSources(known, system, releases);
    const keyring = keyringOf(system);
    if (await host.files.exists(keyring.file)) return own;
    throw new LabError(`${titleOf(system)}: its packages cannot be checked, there is no ${keyring.file}`, {
      hint: `install the package that has the archive's keys (${keyring.package}), or put them there`,
      exit: ExitCode.unavailable,
    });
  }
  const own = debianOwn(known, codename, releases);
  if (own.length > 0) return own;
  throw new LabError(`apt's sources name no archive of Debian ${codename}`, {
    hint: `add Debian's own archive to ${MACHINE_APT}/sources.list.d, suite ${codename}, component main`,
    exit: ExitCode.unavailable,
  });
}

/** Writes what apt needs to work in the store. Cheap; call before any of the functions below. */
export async function prepareApt(host: Host, archive: AptArchive): Promise<void> {
  const { directory } = archive;
  for (const needed of [
    `${directory}/lists/partial`,
    `${directory}/archives/partial`,
    `${directory}/none/partial`,
    `${directory}/cache`,
  ]) {
    await host.files.makeDirectory(needed);
  }
  await host.files.writeText(`${directory}/status`, "");
  await host.files.writeText(`${directory}/debian.sources`, archive.sources);
  await host.files.writeText(
    archive.configuration,
    aptConfiguration(archive, await host.files.exists(`${MACHINE_APT}/apt.conf`)),
  );
}

/**
 * Configuration for APT_CONFIG. It takes in the machine's own, so that nothing secret is copied, and drops what would act on
 * the machine: hooks. Source of the order in which apt reads files: apt.conf(5).
 */
export function aptConfiguration(archive: AptArchive, hasMain: boolean): string {
  const { directory } = archive;
  return [
    `#include "${MACHINE_APT}/apt.conf.d/";`,
    ...(hasMain ? [`#include "${MACHINE_APT}/apt.conf";`] : []),
    "#clear APT::Update::Pre-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    "#clear DPkg::Pre-Invoke;",
    "#clear DPkg::Post-Invoke;",
    "#clear DPkg::Pre-Install-Pkgs;",
    // A machine may have a second architecture, with essential packages of its own.
    "#clear APT::Architectures;",
    `APT::Architecture "${archive.architecture}";`,
    `APT::Architectures { "${archive.architecture}"; };`,
    "#clear APT::Default-Release;",
    'Dir::Etc::parts "/dev/null";',
    'Dir::Etc::main "/dev/null";',
    `Dir::Etc::sourcelist "${directory}/debian.sources";`,
    'Dir::Etc::sourceparts "/dev/null";',
    `Dir::State "${directory}";`,
    `Dir::State::status "${directory}/status";`,
    `Dir::State::lists "${archive.lists}/";`,
    `Dir::Cache "${directory}/cache";`,
    'Dir::Cache::pkgcache "pkgcache.bin";',
    // Worth its 37 MB only where the packages that are installed change.
    'Dir::Cache::srcpkgcache "";',
    `Dir::Cache::archives "${archive.packagesDirectory}/";`,
    'Dir::Log "/dev/null";',
    'Acquire::Languages "none";',
    'APT::Install-Recommends "false";',
    'APT::Install-Suggests "false";',
    "",
  ].join("\n");
}

async function machineSources(host: Host): Promise<AptSource[]> {
  const parts = `${MACHINE_APT}/sources.list.d`;
  const sources = parseSourcesList((await host.files.readTextIfExists(`${MACHINE_APT}/sources.list`)) ?? "");
  for (const name of await host.files.list(parts)) {
    // Other names are ignored by apt too: sources.list(5).
    const parse = name.endsWith(".sources") ? parseDeb822Sources : name.endsWith(".list") ? parseSourcesList : null;
    if (parse !== null) sources.push(...parse((await host.files.readTextIfExists(`${parts}/${name}`)) ?? ""));
  }
  return sources;
}

async function machineReleases(host: Host): Promise<Parameters<typeof debianOwn>[2]> {
  const releases = new Map<string, ReturnType<typeof parseRelease>>();
  for (const name of await host.files.list(MACHINE_LISTS)) {
    if (!/_(In)?Release$/.test(name)) continue;
    const text = await host.files.readTextIfExists(`${MACHINE_LISTS}/${name}`);
    if (text !== null) releases.set(name, parseRelease(text));
  }
  return (uri, suite) =>
    releases.get(listFileName(uri, suite, "InRelease")) ?? releases.get(listFileName(uri, suite, "Release")) ?? null;
}

/** null: lists are missing there. A pocket may be empty, and then has no list of packages. */
async function stampOf(
  host: Host,
  lists: string,
  sources: AptSource[],
): Promise<{ text: string; newestMs: number } | null> {
  const found = await host.processes.run({
    argv: ["find", lists, "-maxdepth", "1", "-type", "f", "-printf", "%f %s %T@\\n"],
  });
  if (found.code !== 0) return null;
  const files = found.stdout.trim().split("\n").toSorted();
  const ours: string[] = [];
  for (const source of sources) {
    const prefix = listFileName(source.uris[0] ?? "", source.suites[0] ?? "", "");
    const those = files.filter((line) => line.startsWith(prefix));
    if (!those.some((line) => /Release /.test(line))) return null;
    ours.push(...those.filter((line) => /Release |(main|universe)_binary-\w+_Packages/.test(line)));
  }
  if (!ours.some((line) => /_Packages(\.\w+)? /.test(line))) return null;
  return { text: ours.join("\n"), newestMs: Math.max(...ours.map((line) => Number(line.split(" ")[2]) * 1000)) };
}

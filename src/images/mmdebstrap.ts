import { posix } from "node:path";
import { ExitCode, LabError } from "../model/error.ts";
import { accountCommands } from "./accounts.ts";
import { sealScript } from "./seal.ts";
import type { Recipe } from "../model/image.ts";
import type { ResolvedPackage } from "./apt-packages.ts";

/** Where one build keeps its things; all below one directory that is swept as a whole. */
export interface BuildPaths {
  rootfs: string;
  /** A flat repository that has just the packages of the image. */
  repository: string;
  /** What is copied into the root; paths below it are those of the root. */
  staging: string;
  /** One shell script per command of the recipe. */
  commands: string;
  /** One program per hook of the recipe. */
  hooks: string;
  temporary: string;
  log: string;
}

export function buildPaths(directory: string): BuildPaths {
  return {
    rootfs: `${directory}/rootfs`,
    repository: `${directory}/repository`,
    staging: `${directory}/staging`,
    commands: `${directory}/commands`,
    hooks: `${directory}/hooks`,
    temporary: `${directory}/tmp`,
    log: `${directory}/build.log`,
  };
}

/** On a release with merged /usr these are links; made first, because the packages of the base no longer make them (Debian 12). */
const MERGED_DIRECTORIES = ["bin", "sbin", "lib"];
const MERGED_DIRECTORIES_OF: Record<string, string[]> = { amd64: ["lib32", "lib64", "libx32"] };

/** Documentation in other forms than licences; a domain has no reader, and unpacking it takes time. */
const DPKG_BUILD_OPTIONS = `force-unsafe-io
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
`;

/**
 * The command that builds a root file system. It runs in namespaces of its own: without network, so that what maintainer
 * scripts start cannot listen on the machine; its mounts and processes end with its first process. Nothing of the user's
 * environment gets in.
 *
 * Nothing of ours outside writes into the new root by path: its links (`/var/run`) would lead to the machine's own
 * directories. Files go in through a tar that runs inside. The recipe's hooks are given the path and know what they do.
 *
 * @param epochS what is made during the build is as old as this, and so the same in every build (SOURCE_DATE_EPOCH)
 */
export function mmdebstrapCommand(
  paths: BuildPaths,
  recipe: Recipe,
  architecture: string,
  epochS: number,
): [string, ...string[]] {
  const merged = [...MERGED_DIRECTORIES, ...(MERGED_DIRECTORIES_OF[architecture] ?? [])];
  const hooks = [
    ["--setup-hook", `set -e; for d in ${merged.join(" ")}; do mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done`],
    [
      "--essential-hook",
      `chroot "$1" sh -ec 'mkdir -p /etc/dpkg/dpkg.cfg.d; cat > /etc/dpkg/dpkg.cfg.d/cloison-build' <<'END'\n${DPKG_BUILD_OPTIONS}END`,
    ],
    [
      "--customize-hook",
      `tar -C ${quote(paths.staging)} --owner=0 --group=0 -c . | chroot "$1" tar -C / -x --no-overwrite-dir --keep-directory-symlink`,
    ],
    ...commandsOf(recipe).map((_, index) => [
      "--customize-hook",
      `chroot "$1" sh -ec "$(cat ${quote(commandFile(paths, index))})"`,
    ]),
    ...(recipe.hooks ?? []).map(({ name }) => ["--customize-hook", hookCommand(`${paths.hooks}/${name}`, name)]),
    ["--customize-hook", `chroot "$1" sh -ec ${quote(TIDY + sealScript(recipe))}`],
  ];
  return [
    ...(["env", "-i", `PATH=${PATH}`, "HOME=/root", "LC_ALL=C.UTF-8", `TMPDIR=${paths.temporary}`] as const),
    `SOURCE_DATE_EPOCH=${epochS}`,
    "DEBIAN_FRONTEND=noninteractive",
    // When this process is killed the build ends too; unshare blocks SIGTERM while it waits.
    ...(["setpriv", "--pdeathsig", "KILL", "--"] as const),
    ...(["unshare", "--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"] as const),
    "mmdebstrap",
    "--mode=root",
    "--format=directory",
    "--verbose",
    `--variant=${recipe.base === "minbase" ? "minbase" : "apt"}`,
    // fsync for each file helps nobody: the whole is synced before it is used, and a crash throws it away.
    "--dpkgopt=force-unsafe-io",
    ...hooks.map(([option, script]) => `${option}=${script}`),
    `--include=${["usr-is-merged", ...recipe.packages].join(",")}`,
    "",
    paths.rootfs,
    // Apt has checked every package against the signed lists when it was fetched, and checks the sums again here.
    `deb [trusted=yes] copy://${encodeURI(paths.repository)} ./`,
  ];
}

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Says in the log where a hook's output begins, and how it ended if it failed; `hookFailure` reads it. */
const hookCommand = (file: string, name: string) =>
  [
    `echo ${quote(`cloison: hook ${name}`)}`,
    // mmdebstrap has added variables of its own.
    `env -i PATH="$PATH" HOME=/root LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" ${quote(file)} "$1" || { echo ${quote(`cloison: hook ${name} ended with exit `)}$?; exit 1; }`,
  ].join("; ");

/** The hook that ended a build, and what it printed; null: none did. */
export function hookFailure(log: string): { name: string; exit: number; output: string } | null {
  // mmdebstrap logs its commands, too, but not at the beginning of a line.
  const failed = /^cloison: hook (\S+) ended with exit (\d+)$/m.exec(log);
  const [, name, exit] = failed ?? [];
  if (failed === null || name === undefined) return null;
  const begun = log.lastIndexOf(`\ncloison: hook ${name}\n`, failed.index);
  const output = log
    .slice(begun + 1, failed.index)
    .split("\n")
    .slice(1)
    .join("\n");
  return { name, exit: Number(exit), output: output.trimEnd() };
}

/** Shell that runs inside the new root, in this order. */
const commandsOf = (recipe: Recipe) => [...accountCommands(recipe), ...recipe.commands];

/** What the machine left in the new root, and what only the build needed. */
const TIDY = `
rm -f /var/cache/ldconfig/aux-cache /etc/apt/sources.list /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/cloison-build
: > /etc/resolv.conf
echo localhost > /etc/hostname
rm -rf /usr/share/man/* /usr/share/info/* /usr/share/locale/*
find /usr/share/doc ! -name copyright -type f -delete
find /var/log -type f -delete
`;

export interface StagedFile {
  path: string;
  content: string;
  encoding?: "base64";
  mode: number;
}

/** Files to write before the command runs: path → text and mode. Throws LabError for a path that leaves the root. */
export function stagedFiles(paths: BuildPaths, recipe: Recipe): StagedFile[] {
  const files = Object.entries(recipe.files).map(([path, { content, encoding, mode }]): StagedFile => {
    if (posix.normalize(path) !== path || path.endsWith("/") || path.includes("\0")) {
      throw new LabError(`${path} is not a plain absolute path of a file`, {
        hint: "write the image's files with paths such as /etc/motd, without . or .. in them",
        exit: ExitCode.usage,
      });
    }
    return {
      path: `${paths.staging}${path}`,
      content,
      mode: Number.parseInt(mode, 8),
      ...(encoding === undefined ? {} : { encoding }),
    };
  });
  const commands = commandsOf(recipe).map((content, index) => ({
    path: commandFile(paths, index),
    content,
    mode: 0o644,
  }));
  const hooks = (recipe.hooks ?? []).map(({ name, script }) => ({
    path: `${paths.hooks}/${name}`,
    content: script,
    mode: 0o755,
  }));
  return [...files, ...commands, ...hooks];
}

/** The repository's index, from `apt-cache show` of the same packages. */
export function repositoryIndex(shown: string): string {
  return shown.replaceAll(/^Filename: .*\/([^/\n]+)$/gm, "Filename: ./$1");
}

/** Shell that links apt's files into the repository under the names that the index has. */
export function linkScript(packagesDirectory: string, repository: string, packages: ResolvedPackage[]): string {
  const links = packages.map(
    ({ file, poolFile }) => `ln ${quote(`${packagesDirectory}/${file}`)} ${quote(`${repository}/${poolFile}`)}`,
  );
  return ["set -e", ...links, ""].join("\n");
}

function commandFile(paths: BuildPaths, index: number): string {
  return `${paths.commands}/${index}.sh`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

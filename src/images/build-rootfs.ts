import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { Recipe } from "../model/image.ts";
import type { FetchedImage } from "./resolve-image.ts";
import { isDiskFull } from "./disk-full.ts";
import { contentHash, takeInventory, type ImageManifest } from "./image-manifest.ts";
import { recipeKey } from "./image-key.ts";
import { buildPaths, hookFailure, linkScript, mmdebstrapCommand, repositoryIndex, stagedFiles } from "./mmdebstrap.ts";

/** What one build is made of. */
export interface Build extends FetchedImage {
  name: string;
  recipe: Recipe;
  /** Of this build alone; becomes the image when it is done. */
  directory: string;
  /** Its processes' alone. */
  cgroup: string;
  onProgress(line: string): void;
  /** Private keys in it are an error. */
  refuseSecrets?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

const PROGRESS_MS = 1000;

/** Builds the root file system and its manifest in the build's directory, and syncs both. The packages have been fetched. */
export async function buildRootfs(host: Host, build: Build): Promise<ImageManifest> {
  const paths = buildPaths(build.directory);
  const beganMs = host.clock.monotonicMs();
  await stage(host, build);
  const epochS = await newestPackageS(host, paths.repository);

  build.onProgress(`image ${build.name}: installing ${build.packages.length} packages`);
  const running = host.processes.run({
    argv: mmdebstrapCommand(paths, build.recipe, build.archive.architecture, epochS),
    cgroup: build.cgroup,
    output: { file: paths.log },
    ...(build.signal === undefined ? {} : { signal: build.signal }),
  });
  const finished = await reportingProgress(host, build, running);
  if (finished.code !== 0) throw buildError(build, (await host.files.readTextIfExists(paths.log)) ?? "");

  const packages = parsePackageList(
    await host.processes.must({
      argv: [
        "dpkg-query",
        `--admindir=${paths.rootfs}/var/lib/dpkg`,
        "--show",
        "--showformat=${Package}\\t${Version}\\n",
      ],
    }),
  );
  await refuseSecrets(host, build, paths.rootfs);
  for (const done of [paths.repository, paths.staging, paths.commands, paths.hooks, paths.temporary, paths.log])
    await host.files.remove(done);
  await host.processes.must({
    argv: [
      ...(["find", paths.rootfs, "-xdev", "-newermt", `@${epochS}`] as const),
      ...(["-exec", "touch", "--no-dereference", `--date=@${epochS}`, "{}", "+"] as const),
    ],
  });
  const inventory = await takeInventory(host, paths.rootfs);
  const manifest: ImageManifest = {
    schema: "cloison.image/2",
    key: build.key,
    recipeKey: recipeKey(build.recipe),
    name: build.name,
    suite: build.archive.codename,
    architecture: build.archive.architecture,
    builtAt: new Date(host.clock.nowMs()).toISOString(),
    buildMs: Math.round(host.clock.monotonicMs() - beganMs),
    recipe: build.recipe,
    packages,
    ...inventory,
    content: await contentHash(host, paths.rootfs, inventory),
  };
  // Contents are on the disk before the manifest that vouches for them.
  await host.processes.must({ argv: ["sync", "--file-system", paths.rootfs] });
  await host.files.replaceText(`${build.directory}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Reads `dpkg-query --show`: name, tab, version. */
export function parsePackageList(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", version = ""] = line.split("\t");
      return [name, version];
    }),
  );
}

async function stage(host: Host, build: Build): Promise<void> {
  const { archive, packages, directory } = build;
  const paths = buildPaths(directory);
  const files = stagedFiles(paths, build.recipe);
  for (const made of [paths.repository, paths.staging, paths.temporary]) await host.files.makeDirectory(made);
  for (const { path, content, encoding, mode } of files) {
    await host.files.writeText(path, encoding === undefined ? content : "", mode);
    if (encoding === undefined) continue;
    await host.processes.must({ argv: ["sh", "-ec", 'base64 --decode > "$1"', "decode", path], stdin: content });
  }
  await host.processes.must({ argv: ["sh"], stdin: linkScript(archive.packagesDirectory, paths.repository, packages) });
  await host.files.writeText(`${paths.repository}/Packages`, repositoryIndex(build.index));
}

/**
 * When the newest of the packages was made, in seconds since the epoch: the first date at which this build was possible, and
 * the same for the same versions. Source: deb(5), the first member's head in ar's format.
 */
async function newestPackageS(host: Host, repository: string): Promise<number> {
  const script = `LC_ALL=C grep -m1 -aoh '^debian-binary *[0-9]*' *.deb`;
  const { stdout } = await host.processes.run({ argv: ["sh", "-c", script], cwd: repository });
  return Math.max(1, ...[...stdout.matchAll(/\d+$/gm)].map(([seconds]) => Number(seconds)));
}

/** Where people put keys; what packages have elsewhere are examples and test data. */
const SECRET_PLACES = ["etc", "root", "home", "srv", "opt", "usr/local"];

/** @throws LabError naming the files with private keys that an image for others has come by */
async function refuseSecrets(host: Host, { name, refuseSecrets: asked }: Build, rootfs: string): Promise<void> {
  if (asked !== true) return;
  const { stdout } = await host.processes.run({
    // Links are not followed.
    argv: ["grep", "-rlIsE", "^-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----", ...SECRET_PLACES],
    cwd: rootfs,
  });
  const found = stdout.split("\n").filter((path) => path !== "");
  if (found.length === 0) return;
  throw new LabError(`image ${name} would hold a private key: ${found.map((path) => `/${path}`).join(", ")}`, {
    hint: "whoever has a copy of the image would have the key: remove it in a command or hook, and make it at first boot",
  });
}

/** Says from time to time how far the build is, by the packages that dpkg has named so far. */
async function reportingProgress<T>(host: Host, build: Build, running: Promise<T>): Promise<T> {
  const done = new AbortController();
  const ended = running.finally(() => done.abort());
  let before = "";
  while (!done.signal.aborted) {
    const log = (await host.files.readTextIfExists(buildPaths(build.directory).log)) ?? "";
    const now = progressOf(log, build.packages.length);
    if (now !== before && now !== "") build.onProgress(`image ${build.name}: ${now}`);
    before = now;
    await Promise.race([host.clock.sleep(PROGRESS_MS), ended]);
  }
  return await ended;
}

/** In words, from mmdebstrap's output: dpkg names each package twice. */
export function progressOf(log: string, packages: number): string {
  const named = log.match(/^(Unpacking|Setting up) /gm)?.length ?? 0;
  return named === 0 ? "" : `${Math.min(100, Math.round((named / (2 * packages)) * 100))}% installed`;
}

/** Packages that were fetched some time ago are no longer what they were. */
export class DamagedPackages extends LabError {}

/** From the end of the output of mmdebstrap. */
export function buildError(build: Pick<Build, "name">, log: string): LabError {
  // Put into words by whoever knows the store.
  if (isDiskFull(log)) return new LabError("No space left on device");
  if (/Hash Sum mismatch|Hashes of expected file|unexpected size/.test(log)) {
    return new DamagedPackages(`packages for image ${build.name} are damaged on this machine's disk`);
  }
  const hook = hookFailure(log);
  if (hook !== null) {
    const output = hook.output.split("\n").slice(-12).join("\n") || "(it printed nothing)";
    return new LabError(`image ${build.name}: its hook ${hook.name} ended with exit ${hook.exit}:\n${output}`, {
      hint: "correct the hook, then try again; nothing of the build is left",
    });
  }
  const lines = log.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("I: "));
  return new LabError(`image ${build.name} could not be built:\n${lines.slice(-12).join("\n")}`, {
    hint: "correct its packages, files or commands, in the image's own file or the lab's, then try again",
  });
}

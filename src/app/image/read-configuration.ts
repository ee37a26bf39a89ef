import { basename, dirname, join, relative, resolve } from "node:path";
import { parseImageConfiguration } from "../../files/image-file.ts";
import type { ReadConfiguration } from "../../images/compose-image.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import type { Hook, Recipe } from "../../model/image.ts";
import { PRIVATE_KEY } from "../../model/image-rules.ts";
import { readText } from "../read-files.ts";
import type { AppContext } from "../context.ts";

/** Of one file that is copied into an image. It becomes a part of the image's description. */
const LARGEST_BYTES = 4 * 2 ** 20;

/** Where the user's defaults for images are: XDG Base Directory Specification. */
export function defaultsFile({ environment }: Pick<AppContext, "environment">): string {
  const home = environment["XDG_CONFIG_HOME"];
  // A relative path is to be ignored, says the specification.
  const folder = home?.startsWith("/") ? home : join(environment["HOME"] ?? "/root", ".config");
  return join(folder, "cloison", "image.yaml");
}

/** The user's defaults, where there are any, then the image's own file with all that it points at. */
export async function readImageLayers(app: AppContext, file: string | null): Promise<ReadConfiguration[]> {
  const defaults = defaultsFile(app);
  const files = [...((await app.host.files.exists(defaults)) ? [defaults] : []), ...(file === null ? [] : [file])];
  return Promise.all(files.map((path) => readConfiguration(app, path)));
}

async function readConfiguration(app: AppContext, path: string): Promise<ReadConfiguration> {
  const configuration = parseImageConfiguration(path, await readText(app, path));
  const folder = dirname(resolve(app.workingDirectory, path));
  const files: Recipe["files"] = {};
  for (const [to, file] of Object.entries(configuration.files)) {
    if ("content" in file) files[to] = file;
    else Object.assign(files, await copied(app, path, to, resolve(folder, file.from), file.mode));
  }
  const hooks =
    configuration.hooks === undefined ? [] : await readHooks(app, path, resolve(folder, configuration.hooks));
  return { configuration, files, hooks };
}

/** A file, or all files of a folder. */
async function copied(
  app: AppContext,
  file: string,
  to: string,
  from: string,
  mode: string | undefined,
): Promise<Recipe["files"]> {
  const listed = await app.host.processes.run({
    argv: ["find", "-L", from, "-type", "f", "-printf", "%P\\t%m\\t%s\\0"],
  });
  const found = listed.stdout.split("\0").filter((entry) => entry !== "");
  if (listed.code !== 0 || found.length === 0) {
    throw wrong(file, `files.${to}.from: there is no file ${relative(app.workingDirectory, from)}`);
  }
  const files: Recipe["files"] = {};
  for (const entry of found.toSorted()) {
    const [below = "", permissions = "", size = ""] = entry.split("\t");
    const source = below === "" ? from : `${from}/${below}`;
    if (Number(size) > LARGEST_BYTES) {
      throw wrong(file, `files.${to}.from: ${source} is larger than 4M; have a hook copy it, or a package bring it`);
    }
    const encoded = await app.host.processes.must({ argv: ["base64", "--wrap=0", source] });
    const bytes = Buffer.from(encoded, "base64");
    if (PRIVATE_KEY.test(bytes.toString("latin1"))) {
      throw wrong(
        file,
        `files.${to}.from: ${source} holds a private key: an image is copied, and secrets are never a part of it`,
      );
    }
    const text = bytes.toString("utf8");
    const isText = Buffer.from(text, "utf8").equals(bytes) && !text.includes("\0");
    files[below === "" ? to : `${to}/${below}`] = {
      ...(isText ? { content: text } : { content: encoded.trim(), encoding: "base64" as const }),
      mode: mode ?? (Number.parseInt(permissions, 8) & 0o111 ? "0755" : "0644"),
    };
  }
  return files;
}

/** Scripts in the order of their names; hidden files and backups are not among them. */
async function readHooks(app: AppContext, file: string, folder: string): Promise<Hook[]> {
  const { files } = app.host;
  if ((await files.kind(folder)) !== "directory") {
    throw wrong(file, `hooks: there is no folder ${relative(app.workingDirectory, folder)}`);
  }
  const hooks: Hook[] = [];
  for (const name of (await files.list(folder)).filter((one) => !/^\.|~$/.test(one))) {
    const path = `${folder}/${name}`;
    const shown = relative(app.workingDirectory, path);
    if (!/^[\w.+-]+$/.test(name))
      throw wrong(file, `hooks: ${shown}: write its name with letters, digits, . _ + and -`);
    const script = (await files.kind(path)) === "directory" ? "" : ((await files.readTextIfExists(path)) ?? "");
    if (!script.startsWith("#!")) {
      throw wrong(file, `hooks: ${shown} is no script: its first line must be one such as #!/bin/sh`);
    }
    hooks.push({ name: basename(path), script });
  }
  return hooks;
}

function wrong(file: string, message: string): LabError {
  return new LabError(`${file}: ${message}`, { exit: ExitCode.usage });
}

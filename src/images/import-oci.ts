import * as z from "zod";
import type { Host } from "../host/host.ts";
import { LabError } from "../model/error.ts";
import type { Recipe } from "../model/image.ts";
import type { Import } from "./import-image.ts";
import { UNPACK_LAYER } from "./import-scripts.ts";
import { sandboxed } from "./sandbox.ts";

/** Parts of the OCI image specification 1.1 that are used here; all else is passed over. */
const descriptor = z.object({
  mediaType: z.string().default(""),
  digest: z.string(),
  platform: z.object({ architecture: z.string(), os: z.string().default("linux") }).optional(),
});
const indexSchema = z.object({ manifests: z.array(descriptor).min(1) });
const manifestSchema = z.object({ config: descriptor, layers: z.array(descriptor) });
const configSchema = z.object({
  architecture: z.string().optional(),
  config: z
    .object({
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      Env: z.array(z.string()).nullish(),
      WorkingDir: z.string().nullish(),
      User: z.string().nullish(),
    })
    .nullish(),
});
export type OciConfiguration = z.output<typeof configSchema>;

/** Go's names of architectures, which OCI uses, by Debian's. */
const ARCHITECTURES: Record<string, string> = { armhf: "arm", i386: "386", ppc64el: "ppc64le" };

/**
 * Unpacks an image layout into the import's root, every part checked against its digest.
 * @param layout absolute path of the folder with `oci-layout` and `index.json`
 * @returns what the image runs, as services
 */
export async function importOci(host: Host, of: Import, layout: string): Promise<Recipe["services"]> {
  const box = { directory: of.sandbox, target: of.rootfs, source: layout };
  const run = of.signal === undefined ? {} : { signal: of.signal };
  /** Through the sandbox: a link in a layout leads to no file of the machine. */
  const text = (path: string) => host.processes.must({ ...sandboxed(box, 'cat "/source$1"', [path]), ...run });
  const checked = async (digest: string): Promise<string> => {
    const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? [];
    if (hex === undefined) throw broken(of, `${digest} is not a sha256 digest`);
    const path = `/blobs/sha256/${hex}`;
    const sum = await host.processes.run({ ...sandboxed(box, 'sha256sum "/source$1"', [path]), ...run });
    if (sum.code !== 0) throw broken(of, `its part ${digest} is missing`);
    if (sum.stdout.slice(0, 64) !== hex) throw broken(of, `its part ${digest} is damaged`);
    return path;
  };
  const read = <T>(schema: z.ZodType<T>, what: string, json: string): T => {
    const parsed = schema.safeParse(parseJson(json));
    if (!parsed.success) throw broken(of, `its ${what} cannot be read`);
    return parsed.data;
  };

  let { manifests } = read(indexSchema, "index", await text("/index.json"));
  let chosen = choose(of, manifests);
  // An index may lead to one for each architecture.
  for (let depth = 0; depth < 2 && /index|manifest\.list/.test(chosen.mediaType); depth++) {
    ({ manifests } = read(indexSchema, "index", await text(await checked(chosen.digest))));
    chosen = choose(of, manifests);
  }
  const manifest = read(manifestSchema, "manifest", await text(await checked(chosen.digest)));
  const config = read(configSchema, "configuration", await text(await checked(manifest.config.digest)));
  if (config.architecture !== undefined && config.architecture !== ociArchitecture(of.architecture)) {
    throw broken(of, `it is for ${config.architecture}, and this machine is ${of.architecture}`);
  }
  for (const [i, layer] of manifest.layers.entries()) {
    of.onProgress(`image ${of.name}: unpacking layer ${i + 1} of ${manifest.layers.length}`);
    const path = await checked(layer.digest);
    const done = await host.processes.run({ ...sandboxed(box, UNPACK_LAYER, [path]), ...run });
    if (done.code !== 0) throw of.failed("tar", done);
  }
  return servicesOf(config);
}

function choose(of: Import, manifests: z.output<typeof descriptor>[]): z.output<typeof descriptor> {
  const wanted = ociArchitecture(of.architecture);
  const fitting = manifests.filter(
    ({ platform }) => platform === undefined || (platform.os === "linux" && platform.architecture === wanted),
  );
  const [first] = fitting;
  if (first !== undefined) return first;
  const others = manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform.architecture]));
  throw broken(of, `it has nothing for ${wanted}, only for ${[...new Set(others)].join(", ")}`);
}

const ociArchitecture = (debian: string): string => ARCHITECTURES[debian] ?? debian;

/** What the image runs when nothing else is asked for, as one service; none when it would be a shell, which ends at once. */
export function servicesOf({ config }: OciConfiguration): Recipe["services"] {
  const command = [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])];
  const isShell = command.length === 1 && /(^|\/)(ba|da|a)?sh$/.test(command[0] ?? "");
  if (command.length === 0 || isShell) return {};
  const quoted = command.map(quote).join(" ");
  const folder = config?.WorkingDir ?? "";
  const variables = (config?.Env ?? []).filter((variable) => /^[A-Za-z_]\w*=/.test(variable));
  const line = [
    ...(folder === "" || folder === "/" ? [] : [`cd ${quote(folder)} &&`]),
    "exec",
    ...(variables.length === 0 ? [] : ["env", ...variables.map(quote)]),
    quoted,
  ].join(" ");
  const user = (config?.User ?? "").split(":")[0] ?? "";
  const isRoot = user === "" || user === "root" || user === "0";
  return { main: { command: isRoot ? ["sh", "-c", line] : ["su", "-s", "/bin/sh", user, "-c", line] } };
}

function broken({ name, source }: Import, why: string): LabError {
  return new LabError(`image ${name}: ${source} cannot be imported: ${why}`, {
    hint: "copy it anew from where it came from",
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

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

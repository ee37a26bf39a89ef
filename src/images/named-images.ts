import { nearestName } from "../model/nearest-name.ts";
import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { NAME_PATTERN } from "../model/name-pattern.ts";
import { namedImageSchema, type NamedImage } from "../model/named-image.ts";
import { storePaths } from "./image-store.ts";

/**
 * All images that have a name of their own, by name.
 * @param passOver leaves out those that cannot be read, which else are an error: nothing may be removed then
 */
export async function listNamedImages(
  host: Host,
  store: string,
  passOver: "damaged" | "none" = "none",
): Promise<Record<string, NamedImage>> {
  const files = await host.files.list(storePaths(store).namedImages);
  const names = files.flatMap((file) => (file.endsWith(".json") ? [file.slice(0, -".json".length)] : []));
  const images: Record<string, NamedImage> = {};
  for (const name of names.filter((one) => NAME_PATTERN.test(one))) {
    const image = passOver === "none" ? await readNamedImage(host, store, name) : await readIfSound(host, store, name);
    if (image !== null) images[name] = image;
  }
  return images;
}

/** null: there is none. */
export async function readNamedImage(host: Host, store: string, name: string): Promise<NamedImage | null> {
  const path = storePaths(store).namedImage(name);
  if (!(await host.files.exists(path))) return null;
  const image = await readIfSound(host, store, name);
  if (image !== null) return image;
  throw new LabError(`image ${name}: its description cannot be read (${path})`, {
    hint: `cloison image create --replace ${name} FILE writes it anew`,
  });
}

/** null: there is none that can be read. */
export async function readIfSound(host: Host, store: string, name: string): Promise<NamedImage | null> {
  const text = await host.files.readTextIfExists(storePaths(store).namedImage(name));
  const parsed = namedImageSchema.safeParse(text === null ? null : parseJson(text));
  return parsed.success ? parsed.data : null;
}

/** As `readNamedImage`; throws a LabError that says which images there are. */
export async function requireNamedImage(host: Host, store: string, name: string): Promise<NamedImage> {
  const image = NAME_PATTERN.test(name) ? await readNamedImage(host, store, name) : null;
  if (image !== null) return image;
  const names = Object.keys(await listNamedImages(host, store));
  const meant = nearestName(name, names);
  const known = names.length === 0 ? "cloison image create makes one" : `there is ${names.join(", ")}`;
  throw new LabError(`there is no image ${name}`, {
    hint: meant === null ? known : `did you mean ${meant}?`,
    exit: ExitCode.usage,
  });
}

export async function writeNamedImage(host: Host, store: string, image: NamedImage): Promise<void> {
  await host.files.replaceText(storePaths(store).namedImage(image.name), `${JSON.stringify(image, null, 2)}\n`);
}

export async function forgetNamedImage(host: Host, store: string, name: string): Promise<void> {
  await host.files.remove(storePaths(store).namedImage(name));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

import { DEFAULT_MEMORY_BYTES, labSchema, type Lab, type LabFile } from "../model/lab.ts";
import { labIssues } from "../model/lab-rules.ts";
import type { NamedImage } from "../model/named-image.ts";
import { parseFile } from "./parse.ts";

/**
 * Reads a lab file.
 * @param name how the file is called in messages
 * @param made images that `cloison image` has made, by name; a lab's own of the same name goes before one
 * @throws FileError with every problem at its line and column
 */
export function parseLab(name: string, text: string, made: Record<string, NamedImage> = {}): Lab {
  const file = parseFile(name, text, labSchema);
  const lab = withNamedImages(file.value, made);
  file.refuse(labIssues(lab));
  return lab;
}

function withNamedImages(file: LabFile, made: Record<string, NamedImage>): Lab {
  const images: Lab["images"] = { ...file.images };
  const domains: Lab["domains"] = {};
  for (const [name, domain] of Object.entries(file.domains)) {
    const named = Object.hasOwn(file.images, domain.image) ? undefined : made[domain.image];
    if (named !== undefined) images[domain.image] = named.recipe;
    domains[name] = { ...domain, memory: domain.memory ?? named?.memoryBytes ?? DEFAULT_MEMORY_BYTES };
  }
  return { ...file, images, domains };
}

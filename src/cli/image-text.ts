import type { ImageRow, ShownImage } from "../app/image/list.ts";
import { formatBytes } from "../model/units.ts";
import { columns } from "./output.ts";

export const sizeText = formatBytes;

/** `cloison image list`. */
export function imageTable(rows: ImageRow[]): string {
  if (rows.length === 0) return "there is no image; cloison image create makes one";
  return columns([
    ["NAME", "KIND", "SYSTEM", "BUILT", "SIZE", "KEY", "USED BY"],
    ...rows.map((row) => [
      row.name ?? `(${row.builtFor ?? ""})`,
      row.kind,
      row.system,
      row.builtAt === null ? "not built" : row.builtAt.slice(0, 16).replace("T", " "),
      row.bytes === null ? "-" : sizeText(row.bytes),
      row.key?.slice(0, 12) ?? "-",
      row.usedBy.join(", ") || "-",
    ]),
  ]);
}

/** `cloison image show`: a line for each thing that it has. */
export function describeImage({ image, manifest, state, directory, usedBy }: ShownImage): string {
  const { recipe } = image;
  const size = (bytes: number | null) => (bytes === null ? "" : sizeText(bytes));
  const lines: [string, string][] = [
    ["name", image.name],
    ["state", state],
    ["from", image.source ?? ""],
    ["system", manifest === null ? "" : `${manifest.suite}, ${manifest.architecture}`],
    ["built", manifest?.builtAt ?? ""],
    ["key", image.key ?? ""],
    ["content", manifest === null ? "" : `sha256 ${manifest.content}`],
    [
      "holds",
      manifest === null
        ? ""
        : `${manifest.files} files, ${sizeText(manifest.bytes)}, ${Object.keys(manifest.packages).length} packages`,
    ],
    ["disk", size(image.sizeBytes)],
    ["memory", size(image.memoryBytes)],
    ["swap", size(image.swapBytes)],
    ["packages", recipe.packages.join(" ")],
    ["files", Object.keys(recipe.files).join(" ")],
    ["users", Object.keys(recipe.users ?? {}).join(" ")],
    ["services", Object.keys(recipe.services).join(" ")],
    ["hooks", (recipe.hooks ?? []).map(({ name }) => name).join(" ")],
    ["folder", directory ?? ""],
    ["used by", usedBy.length === 0 ? "no lab that is up, and no snapshot" : usedBy.join(", ")],
  ];
  return lines.flatMap(([name, value]) => (value === "" ? [] : [`${name.padEnd(9)} ${value}`])).join("\n");
}

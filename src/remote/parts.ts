import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import type { Host } from "../host/host.ts";

/** A folder that another host gets, once. The name changes with what is in it. */
export interface Part {
  name: string;
  /** Files below it. */
  root: string;
  paths: string[];
}

/** What runs there, as the build left it; source maps, and what V8 has compiled here, are no part of it. */
const PROGRAM = {
  of: ["package.json", "dist", "guest", "examples", "node_modules/koffi", "node_modules/@koromix"],
  without: [
    "dist/.*",
    "dist/bench*",
    "*.map",
    "*.compiled*",
    "node_modules/koffi/doc/*",
    "node_modules/koffi/vendor/*",
  ],
};

/** What reads samples, for reports of runs: ten times as large as the rest. */
const DATABASE = { of: ["node_modules/@duckdb"], without: [] };

export const programPart = (host: Host, root: string) => partOf(host, "program", root, PROGRAM);
export const databasePart = (host: Host, root: string) => partOf(host, "database", root, DATABASE);

/** The program that runs this one, for hosts that have none. */
export function nodePart(node: { path: string; version: string }): Part {
  return { name: `node-${node.version}`, root: dirname(node.path), paths: [basename(node.path)] };
}

async function partOf(
  host: Host,
  kind: string,
  root: string,
  { of, without }: { of: string[]; without: string[] },
): Promise<Part> {
  const pruned = without.flatMap((pattern) => ["-path", pattern, "-prune", "-o"]);
  const listed = await host.processes.must({
    argv: [
      "sh",
      "-c",
      'find "$@" -print0 | sort --zero-terminated | xargs --null sha256sum --',
      "sh",
      ...of,
      ...pruned,
      "-type",
      "f",
    ],
    cwd: root,
  });
  const lines = listed.trimEnd().split("\n");
  const hash = createHash("sha256").update(listed).digest("hex").slice(0, 16);
  // 64 digits, a space, a space or an asterisk.
  return { name: `${kind}-${hash}`, root, paths: lines.map((line) => line.slice(66)) };
}

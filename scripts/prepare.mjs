// Makes the program ready to run: packages, then the bundle.
//   node scripts/prepare.mjs [--bench] [NODE]     --bench: the benches, too; NODE: how the launcher calls the node it found
// Whoever calls it holds the lock on the folder (flock): the launcher when something changed, npm test, npm run bench.
// What it does is said on stderr, so that a command's own output stays clean.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { install } from "./install.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
/** Its age is compared with the sources'; its first line is the node that prepared. The launcher reads both. */
const stamp = join(dist, ".prepared");
const say = (line) => process.stderr.write(`cloison: ${line}\n`);

try {
  const { values, positionals } = parseArgs({ options: { bench: { type: "boolean" } }, allowPositionals: true });
  mkdirSync(dist, { recursive: true });
  const begun = join(dist, ".preparing");
  // Written before the sources are read: what changes during the build is newer, and built the next time.
  writeFileSync(begun, `${positionals[0] ?? process.execPath}\n`);
  try {
    install(root, say);
    const startedMs = performance.now();
    const { buildAll } = await import("./build.mjs");
    await buildAll(root, { bench: values.bench });
    say(`built in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    renameSync(begun, stamp);
  } finally {
    rmSync(begun, { force: true });
  }
} catch (error) {
  say(error.code === "EACCES" ? `${error.message}: run it once as the owner of ${root}` : error.message);
  process.exitCode = 1;
}

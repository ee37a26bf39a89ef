// What the outcome of each suite of the long lane depends on, as one hash a suite. Plain Node.
//   node scripts/long-inputs.mjs    prints the suites for which it changed since they last passed
// The hashes recorded in test/long/inputs.sha256 are committed with the change that they belong to: that works in a clone
// without history, and whatever number of commits arrive at once.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suitesOf } from "./suites.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const record = join(root, "test/long/inputs.sha256");
const inputs = ["src", "guest", "test", "examples", "package-lock.json", "scripts/build.mjs"];

/** Unit tests, other suites and the platforms' contract, which none of them reads (long-inputs.test.mjs), are none of a suite's inputs. */
const isInput = (path, suite) =>
  path === suite.file ||
  (!path.endsWith(".test.ts") && !path.startsWith("test/contract/") && path !== "test/long/inputs.sha256");

function hashInputs(suite) {
  const hash = createHash("sha256");
  for (const path of inputs
    .flatMap(filesBelow)
    .filter((path) => isInput(path, suite))
    .sort()) {
    hash.update(`${path}\0`).update(
      createHash("sha256")
        .update(readFileSync(join(root, path)))
        .digest(),
    );
  }
  return hash.digest("hex");
}

function filesBelow(path) {
  if (!existsSync(join(root, path))) return [];
  if (statSync(join(root, path)).isFile()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesBelow(`${path}/${name}`));
}

/** Suite → hash, as sha256sum(1) writes it. */
function recorded() {
  if (!existsSync(record)) return {};
  const lines = readFileSync(record, "utf8").trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split("  ").reverse()));
}

/** To be called when a suite has passed, none of it skipped. Suites that are no more are forgotten. */
export function recordLongInputs(passed) {
  const before = recorded();
  const lines = suitesOf(root, "long").flatMap((suite) => {
    const hash = suite.name === passed.name ? hashInputs(suite) : before[suite.name];
    return hash === undefined ? [] : [`${hash}  ${suite.name}\n`];
  });
  writeFileSync(record, lines.join(""));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const last = recorded();
  for (const suite of suitesOf(root, "long")) if (last[suite.name] !== hashInputs(suite)) console.log(suite.name);
}

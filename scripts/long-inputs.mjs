// What the long lane's outcome depends on, as one hash. Plain Node.
//   node scripts/long-inputs.mjs    says whether it changed since the lane last passed: exit 0 unchanged, 1 changed
// The hash recorded in test/long/inputs.sha256 is committed with the change that it belongs to: that works in a clone
// without history, and whatever number of commits arrive at once.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suitesOf } from "./suites.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const record = join(root, "test/long/inputs.sha256");
const inputs = ["src", "guest", "test", "examples", "package-lock.json", "scripts/build.mjs"];
/** Unit tests, and suites of other lanes, are none. */
const isInput = (path) =>
  !/^src\/.*\.test\.ts$|^test\/(system|xen|slow)\//.test(path) && path !== "test/long/inputs.sha256";

function hashInputs() {
  const hash = createHash("sha256");
  for (const path of inputs.flatMap(filesBelow).filter(isInput).sort()) {
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

function longInputsChanged() {
  return !existsSync(record) || readFileSync(record, "utf8").trim() !== hashInputs();
}

/** To be called when the lane has passed. */
export function recordLongInputs() {
  writeFileSync(record, `${hashInputs()}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const changed = suitesOf(root, "long").length > 0 && longInputsChanged();
  console.log(
    `long lane: ${changed ? "its inputs changed since it last passed" : "nothing changed since it last passed"}`,
  );
  process.exitCode = changed ? 1 : 0;
}

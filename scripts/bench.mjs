// npm run bench: builds the program and the benches as they ship, and runs them from the repository's root.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./spawn.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const inRoot = { cwd: root, inherit: true, deadlineS: 6 * 3600 };

const prepared = await run(["flock", root, process.execPath, "scripts/prepare.mjs", "--bench"], inRoot);
const done = prepared.ok
  ? await run([process.execPath, join(root, "dist/bench.mjs"), ...process.argv.slice(2)], inRoot)
  : prepared;
if (!done.ok) process.exitCode = 1;

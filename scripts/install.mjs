// Brings node_modules to what package-lock.json says. Plain Node: it runs when nothing is installed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Why node_modules is not what the lockfile says, or null when it is. Compares with npm's own record of what it
 * installed, which npm writes last: an interrupted installation counts as none.
 */
export function staleModules(root) {
  const wanted = readLock(join(root, "package-lock.json"));
  if (wanted === null) throw new Error(`${join(root, "package-lock.json")} is missing: check out the repository again`);
  const installed = readLock(join(root, "node_modules", ".package-lock.json"));
  if (installed === null) return "nothing is installed yet";
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    if (path === "") continue;
    const found = installed[path];
    if (found === undefined && optional === true) continue;
    if (found?.version !== version || found?.integrity !== integrity) return `${path} is not the locked ${version}`;
  }
  return null;
}

/** Runs `npm ci` when node_modules is stale. Its output goes to stderr. Throws when it fails. */
export function install(root, say) {
  const reason = staleModules(root);
  if (reason === null) return;
  say(`installing packages with npm ci (${reason})`);
  const npm = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (npm.error?.code === "ENOENT")
    throw new Error("there is no npm beside node: install it (Debian: apt install npm)");
  if (npm.status !== 0)
    throw new Error(`npm ci failed (${npm.signal ?? `exit ${npm.status}`}); its own messages are above`);
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch (error) {
    // A truncated file is as good as none: npm was interrupted.
    if (error.code === "ENOENT" || error instanceof SyntaxError) return null;
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    install(fileURLToPath(new URL("..", import.meta.url)), (line) => console.error(line));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

import { basename } from "node:path";
import type { Host } from "../host/host.ts";
import { ExitCode, LabError } from "../model/error.ts";
import { sendingError } from "./complaints.ts";
import type { Connection } from "./connection.ts";
import { nodePart, type Part } from "./parts.ts";

/** Cloison on another host. */
export interface Installed {
  /** Its cache directory there: what was sent, and what commands work in. */
  cache: string;
  /** Starts `cloison` there. */
  argv: [string, string];
}

interface InstallOptions {
  program: Part;
  /** Null: the command needs none. */
  database: Part | null;
  /** What runs this program here. */
  node: { path: string; version: string };
  /** As `uname -m` tells it. */
  architecture: string;
  signal?: AbortSignal | undefined;
  say(line: string): void;
}

/** Names of parts follow. A part that is used is young. */
const ASK = `
echo "uid=$(id -u)"; echo "user=$(id -un)"; echo "architecture=$(uname -m)"
cache=\${XDG_CACHE_HOME:-$HOME/.cache}/cloison; echo "cache=$cache"
if node=$(command -v node); then echo "node=$node"; echo "version=$("$node" --version)"; fi
for name; do if [ -d "$cache/$name" ]; then touch "$cache/$name"; echo "$name=there"; fi; done
`;

/**
 * Beside, then renamed: a part is whole or not there, and of two that send it one comes later and finds it.
 * What nobody used for two months goes, and what a send that was cut off has left.
 */
const TAKE = `
set -eu; umask 077
mkdir -p "$1"; cd "$1"
find . -mindepth 1 -maxdepth 1 -name '.sending-*' -mmin +600 -exec rm -rf {} +
find . -mindepth 1 -maxdepth 1 -name '[pdn]*-*' -mtime +60 -exec rm -rf {} +
beside=$(mktemp -d .sending-XXXXXX)
trap 'rm -rf "$beside"' EXIT; trap 'exit 1' HUP INT TERM
tar --extract --gzip --no-same-owner --directory "$beside"
mv --no-target-directory "$beside" "$2" 2>/dev/null || [ -d "$2" ]
`;

/** The database is found where Node looks for the program's packages. */
const JOIN = `ln --symbolic --force --no-dereference "../../$3/node_modules/@duckdb" "$1/$2/node_modules/@duckdb"`;

const SEND = `set -o pipefail; root=$1; shift
tar --create --dereference --directory "$root" --null --files-from=- | gzip -1 | "$@"`;

/**
 * Makes sure that Cloison, as it is here, is on the host.
 * @throws LabError that says what the host lacks; nothing was changed there
 */
export async function install(host: Host, connection: Connection, options: InstallOptions): Promise<Installed> {
  const { program, database, node } = options;
  const ownNode = nodePart(node);
  const parts = [program, ...(database === null ? [] : [database]), ownNode];
  const asked = await connection.run(
    ASK,
    parts.map(({ name }) => name),
    { timeoutMs: 30_000 },
  );
  const facts = factsOf(asked.stdout);
  requireFit(connection.address, facts, options.architecture);
  const cache = facts["cache"] ?? "";
  const hasNode = isRecent(facts["version"] ?? "");
  const missing = parts.filter((part) => facts[part.name] !== "there" && !(part === ownNode && hasNode));
  for (const part of missing) {
    options.say(`${connection.address}: sending ${TOLD[part.name.split("-")[0] ?? ""] ?? part.name}`);
    await send(host, connection, cache, part, options.signal);
  }
  if (database !== null) await must(connection, JOIN, [cache, program.name, database.name]);
  const there = hasNode ? (facts["node"] ?? "node") : `${cache}/${ownNode.name}/${basename(node.path)}`;
  if (missing.includes(ownNode)) await must(connection, '"$1" --version', [there]);
  return { cache, argv: [there, `${cache}/${program.name}/dist/cloison.cjs`] };
}

const TOLD: Record<string, string> = {
  program: "Cloison",
  database: "what reads samples",
  node: "this machine's Node.js, as it has none that is recent",
};

async function send(
  host: Host,
  connection: Connection,
  cache: string,
  part: Part,
  signal: AbortSignal | undefined,
): Promise<void> {
  const finished = await host.processes.run({
    argv: ["bash", "-c", SEND, "send", part.root, ...connection.argv(TAKE, [cache, part.name])],
    stdin: part.paths.map((path) => `${path}\0`).join(""),
    ...(signal === undefined ? {} : { signal }),
  });
  if (finished.code !== 0) throw sendingError(connection.address, cache, finished.stderr);
}

async function must(connection: Connection, script: string, args: string[]): Promise<void> {
  const { code, stderr } = await connection.run(script, args, { timeoutMs: 30_000 });
  if (code === 0) return;
  throw new LabError(`${connection.address}: Cloison does not run there: ${stderr.trim().split("\n").at(-1)}`, {
    exit: ExitCode.unavailable,
  });
}

function factsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

function requireFit(address: string, facts: Record<string, string>, architecture: string): void {
  if (facts["uid"] === undefined || facts["architecture"] === undefined) {
    throw new LabError(`${address} does not run commands as Debian does`, {
      hint: "it needs bash, coreutils, tar and gzip, and a login that prints nothing by itself",
      exit: ExitCode.unavailable,
    });
  }
  if (facts["uid"] !== "0") {
    throw new LabError(`${address}: ${facts["user"]} is not root there, and a host's labs need root`, {
      hint: "name a login that is: ssh://root@…; nothing was sent",
      exit: ExitCode.unavailable,
    });
  }
  if (facts["architecture"] !== architecture) {
    throw new LabError(`${address} is ${facts["architecture"]}, and this machine's Cloison is for ${architecture}`, {
      hint: "use Cloison from a machine like it; nothing was sent",
      exit: ExitCode.unavailable,
    });
  }
}

/** Node from 20.19 on, as package.json asks. */
function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

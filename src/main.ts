import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, CommanderError } from "commander";
import { ownPaths } from "./cli/own-paths.ts";
import { createProgram, type LoadApp } from "./cli/program.ts";
import { ExitCode, LabError } from "./model/error.ts";

/** Folder of package.json: this file is in src/ or, bundled, in dist/. */
function projectRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "package.json"))) directory = dirname(directory);
  return directory;
}

const root = projectRoot();
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

/** What does the work is loaded when a command first needs it. */
const load: LoadApp = async (given) => (await import("./compose.ts")).compose({ version, root, ...given });

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interruption.signal.aborted) {
      process.stderr.write("\nended at once; cloison down --all removes what is left\n");
      process.exit(ExitCode.interrupted);
    }
    process.stderr.write("\nending; once more to end at once\n");
    interruption.abort(new LabError("interrupted", { exit: ExitCode.interrupted }));
  });
}

// Who reads has enough, as `head` has: what only goes on to be read ends, too, and nothing is said of it. A terminal that is
// gone is such a reader (EIO), and so is a lost connection, which may leave a lab to be taken down and nobody to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    if (stream === process.stdout) interruption.abort(error);
  });
}

const program = createProgram(version, {
  load,
  argv: process.argv.slice(2),
  signal: interruption.signal,
  setExitCode: (code) => {
    process.exitCode = code;
  },
});
endByThrowing(program);

// No `await` here: the bundle is CommonJS.
program.parseAsync().catch((error: unknown) => {
  process.exitCode = report(error);
});

/** Of commands within commands, too: commander would end the process by itself. */
function endByThrowing(command: Command): void {
  command.exitOverride();
  command.commands.forEach(endByThrowing);
}

/** Says what went wrong in the words of whoever raised it, and gives the exit code. Anything unforeseen is shown whole. */
function report(error: unknown): number {
  if (error instanceof Error && "code" in error && error.code === "EPIPE") return ExitCode.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (!(error instanceof LabError)) {
    process.stderr.write(
      `cloison failed in a way that it should not; please report this:\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
    return ExitCode.failed;
  }
  const message = ownPaths(error.message);
  const hint = error.hint === undefined ? null : ownPaths(error.hint);
  if (process.argv.includes("--json")) {
    process.stderr.write(`${JSON.stringify({ error: message, hint, exit: error.exit })}\n`);
  } else {
    process.stderr.write(`${message}\n${hint === null ? "" : `  ${hint}\n`}`);
  }
  return error.exit;
}

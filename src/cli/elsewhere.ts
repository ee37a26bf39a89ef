import { isAbsolute, join, resolve } from "node:path";
import type { Command } from "commander";
import type { AppContext } from "../app/context.ts";
import { loadApp } from "./load-app.ts";
import { optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** Commands that only read files, which are here. */
const ONLY_HERE = ["schema", "report"];
const MAKES = ["up", "apply", "restore"];
const MEASURES = ["study", "run"];
/** These speak with the user by standard input. */
const READS = ["exec", "console"];

interface FileOptions {
  host?: string;
  /** Files and folders that commands write. */
  write?: string;
  junit?: string;
  out?: string;
  resume?: string;
  /** One that it reads. */
  sshKey?: string;
}

/**
 * Commands on a lab of another host are done there, by Cloison itself, which gets what they read and gives back what they
 * write. Found by the lab's file, by what is recorded of the lab, or by `--host`.
 */
export function sendElsewhere(program: Command, cli: CliContext): void {
  program.hook("preAction", async (_program, command) => {
    const options = optionsOf<FileOptions>(command);
    const verb = verbOf(command);
    if (options.host === "local") return;
    if (ONLY_HERE.includes(verb)) {
      if (options.host !== undefined) command.error(`error: ${verb} works on this machine only`, { exitCode: 2 });
      return;
    }
    const { app } = await loadApp(cli, command);
    const named = await namedBy(app, command, options);
    const address = options.host ?? named.address;
    if (address === null) return;
    command.action(async () => {
      const { forward } = await import("../app/remote/forward.ts");
      const files = await filesOf(app, command, named.labFile);
      const terminal = [process.stdin, process.stdout, process.stderr].every((stream) => stream.isTTY);
      const code = await forward(app, address, {
        argv: (placeOf) => ["--host", "local", ...argvThere(cli.argv, files.named, placeOf)],
        sends: files.sends,
        brings: files.brings,
        makes: MAKES.includes(verb) ? named.name : null,
        removes: verb === "down" ? named.name : null,
        needsDatabase: MEASURES.includes(verb),
        terminal: terminal && options.json !== true,
        reads: READS.includes(verb),
        signal: cli.signal,
      });
      cli.setExitCode(code);
    });
  });
}

/** `net verify` */
function verbOf(command: Command): string {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  return names.join(" ");
}

/** What stands in an argument's place, by its name; undefined: the command has none, or the user left it out. */
function argument(command: Command, name: string): string | undefined {
  const index = command.registeredArguments.findIndex((one) => one.name() === name);
  return index === -1 ? undefined : command.args[index];
}

interface Named {
  address: string | null;
  /** Of the lab; null: not known here. */
  name: string | null;
  /** Its file, if the command line or an experiment names it; absolute. */
  labFile: string | null;
}

/** The lab that a command is about. */
async function namedBy(app: AppContext, command: Command, { host, resume }: FileOptions): Promise<Named> {
  const { isFile, labOfBackup, labOfExperiment, labOfRun, placeOfDomain, placeOfFile, placeOfName } =
    await import("../app/remote/where.ts");
  const lab = argument(command, "lab");
  if (lab !== undefined && !isFile(lab)) {
    const place = await placeOfName(app, lab);
    const domain = verbOf(command) === "move" ? undefined : argument(command, "domain");
    const moved = place.address === null && domain !== undefined ? await placeOfDomain(app, lab, domain) : null;
    return { ...place, ...(moved === null ? {} : { address: moved }), labFile: null };
  }
  const backup = verbOf(command) === "restore" ? argument(command, "file") : undefined;
  if (backup !== undefined && host !== undefined) {
    return { address: null, name: await labOfBackup(app, backup), labFile: null };
  }
  const experiment = argument(command, "experiment-file");
  const labFile =
    lab ??
    argument(command, "lab-file") ??
    (experiment === undefined ? null : await labOfExperiment(app, experiment)) ??
    (resume === undefined ? null : labOfRun(resume));
  if (labFile === null) return { address: null, name: null, labFile };
  return { ...(await placeOfFile(app, labFile, host !== undefined)), labFile: resolve(app.workingDirectory, labFile) };
}

interface CommandFiles {
  /** As the user wrote them. */
  named: string[];
  sends: string[];
  brings: string[];
}

/** The files and folders of a command line. */
async function filesOf(app: AppContext, command: Command, labFile: string | null): Promise<CommandFiles> {
  const { workingDirectory } = app;
  const verb = verbOf(command);
  const { write, junit, out, resume, sshKey } = optionsOf<FileOptions>(command);
  const there = (path: string) => resolve(workingDirectory, path);
  const given = (...paths: (string | undefined)[]) => paths.filter((path) => path !== undefined);
  const file = argument(command, "file");
  const backup = verb === "restore" ? file : undefined;
  const reads = given(argument(command, "experiment-file"), argument(command, "source"), resume, backup, sshKey);
  const writes = given(
    write,
    junit,
    out,
    resume,
    ["image export", "image appliance", "backup"].includes(verb) ? file : undefined,
  );
  const configuration = verb === "image create" ? file : undefined;
  const { filesOfImage } = await import("../app/remote/where.ts");
  const image = configuration === undefined ? [] : await filesOfImage(app, configuration);
  const runs =
    MEASURES.includes(verb) && out === undefined && resume === undefined ? [join(workingDirectory, "runs")] : [];
  return {
    // A lab's name is never taken for a path.
    named: [...reads, ...writes, ...given(configuration, argument(command, "lab"), argument(command, "lab-file"))],
    sends: [...reads.map(there), ...image, ...given(labFile ?? undefined)],
    brings: [...writes.map(there), ...runs],
  };
}

/** The command line for the other host: without `--host`, and with absolute paths as they are there. */
export function argvThere(argv: string[], named: string[], placeOf: (path: string) => string): string[] {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const words: string[] = [];
  for (let i = 0; i < end; i++) {
    const word = argv[i] ?? "";
    if (word === "--host") i++;
    else if (!word.startsWith("--host=")) words.push(word);
  }
  const absolute = named.filter(isAbsolute);
  const placed = words.map((word) => {
    const path = absolute.find((one) => word === one || (word.startsWith("-") && word.endsWith(one)));
    return path === undefined ? word : `${word.slice(0, -path.length)}${placeOf(resolve(path))}`;
  });
  return [...placed, ...argv.slice(end)];
}

import { Command, Option } from "commander";
import type { AppContext, InstallPolicy } from "../app/context.ts";
import { addBackupCommands } from "./backup-commands.ts";
import { sendElsewhere } from "./elsewhere.ts";
import { addExperimentCommands } from "./experiment-commands.ts";
import { addImageCommands } from "./image-commands.ts";
import { addLabCommands } from "./lab-commands.ts";
import { addMachineCommands } from "./machine-commands.ts";
import { addMoveCommands } from "./move-commands.ts";
import { addNetCommands } from "./net-commands.ts";
import { addPowerCommands } from "./power-commands.ts";
import { addSnapshotCommands } from "./snapshot-commands.ts";
import { addUpCommands } from "./up-commands.ts";
import { addUplinkCommands } from "./uplink-commands.ts";
import { addWatchCommands } from "./watch-commands.ts";

/** Makes the context that verbs work in; slow to load, so only called by commands that need it. */
export type LoadApp = (options: { install: InstallPolicy; say: (line: string) => void }) => Promise<AppContext>;

/** What a command module gets. */
export interface CliContext {
  load: LoadApp;
  /** The command line, from the first word behind the program's name. */
  argv: string[];
  /** Ends what is under way; a second Ctrl-C ends at once. */
  signal: AbortSignal;
  setExitCode(code: number): void;
}

/** The whole command line. */
export function createProgram(version: string, cli: CliContext): Command {
  const program = new Command("cloison")
    .description(
      "How guests sit in a network, and how much they feel their neighbours: measured, on any virtualization platform.",
    )
    .version(version)
    .option("--json", "answer as JSON")
    .addOption(new Option("--yes", "install missing Debian packages without asking").conflicts("install"))
    .option("--no-install", "never install anything")
    .option("--host <address>", "on another machine: ssh://[user@]name[:port]; local: here, whatever a lab file says")
    .showHelpAfterError("(cloison --help shows all commands)")
    .configureHelp({ sortSubcommands: false })
    .addHelpText(
      "after",
      `
Examples:
  cloison study                          the study, on this machine, in about ten minutes
  cloison study --scale smoke            the same in two minutes, as an indication
  cloison check                          what works on this machine, and what to do about the rest
  cloison up examples/study/lab.yaml     build a lab
  cloison exec study apache1 -- ip addr  run a program in one of its domains
  cloison net verify study               what can reach what in it, asked with real packets
  cloison net why study outside apache1  the way of a packet, and what stops it
  cloison down study                     remove it, wholly
  cloison image create blog image.yaml   a root file system that labs use by its name
  cloison check --host ssh://root@lab1   any of these on another machine

Exit codes: 0 done; 1 the answer is no; 2 wrong command line or file; 3 this machine lacks something;
4 the lab is in use; 5 a step failed; 130 interrupted.`,
    );
  addExperimentCommands(program, cli);
  addUpCommands(program, cli);
  addLabCommands(program, cli);
  addSnapshotCommands(program, cli);
  addBackupCommands(program, cli);
  addPowerCommands(program, cli);
  addWatchCommands(program, cli);
  addMoveCommands(program, cli);
  addUplinkCommands(program, cli);
  addNetCommands(program, cli);
  addImageCommands(program, cli);
  addMachineCommands(program, cli);
  sendElsewhere(program, cli);
  return program;
}

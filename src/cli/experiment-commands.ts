import { type Command, InvalidArgumentError, Option } from "commander";
import { loadApp } from "./load-app.ts";
import { answer, optionsOf, terminal } from "./output.ts";
import type { PlatformName } from "../model/lab.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import { SCALES, type Scale } from "../model/scale.ts";
import { ownPaths } from "./own-paths.ts";
import { progressText } from "./run-progress.ts";
import type { CliContext } from "./program.ts";

interface RunFlags {
  platforms?: PlatformName[];
  scale?: Scale;
  blocks?: number;
  seed?: number;
  out?: string;
  resume?: string;
  engine?: "epoll" | "node";
}

/** study, run, report. */
export function addExperimentCommands(program: Command, cli: CliContext): void {
  const study = program
    .command("study")
    .description(
      "the study: how much does one domain's load hurt another, on a shared system, in containers, in virtual machines",
    )
    .addOption(
      new Option(
        "--scale <scale>",
        "quick: about ten minutes; smoke: two; full: the study's own loads, hours; functional: whether it works, where time can't be measured",
      )
        .choices(SCALES)
        .default("quick"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  cloison study\n  cloison study --scale smoke --out /tmp/smoke\n  cloison study --platforms shared,container,qemu\n  cloison study --platforms xen --scale functional\n  cloison study --resume runs/20260101-120000-study",
    );
  const run = program
    .command("run [experiment-file]")
    .description("run an experiment, and report what was measured")
    .addOption(
      new Option(
        "--scale <scale>",
        "quick: as the file is written; smoke: one block, an indication; full: the study's numbers of requests; functional: whether it works, where time can't be measured",
      )
        .choices(SCALES)
        .default("quick"),
    )
    .addHelpText(
      "after",
      "\nExamples:\n  cloison run examples/study/experiment.yaml\n  cloison run --resume runs/20260101-120000-study",
    );
  for (const command of [study, run]) {
    command
      .addOption(
        new Option("--platforms <list>", `instead of the experiment's own; of ${PLATFORM_NAMES.join(", ")}`)
          .argParser(platforms)
          .conflicts("resume"),
      )
      .option("--out <folder>", "folder of the run; default: runs/<time>-<name>")
      .option("--seed <n>", "of the order of trials; default: the file's, else drawn", seed)
      .addOption(
        new Option("--resume <folder>", "go on with a run that was cut off, as it was begun").conflicts([
          "out",
          "seed",
          "scale",
        ]),
      )
      .addOption(
        new Option("--engine <name>", "of the load client; default: the fastest that works here").choices([
          "epoll",
          "node",
        ]),
      );
  }
  study.action(async (_options, command: Command) => start(cli, command, null));
  run.action(async (file: string | undefined, _options, command: Command) => {
    const { resume } = optionsOf<RunFlags>(command);
    if ((file === undefined) === (resume === undefined))
      command.error("error: name an experiment file, or a folder with --resume", { exitCode: 2 });
    await start(cli, command, file ?? null);
  });

  program
    .command("report <run-folder>")
    .description("make the report of a run anew from its samples")
    .addHelpText("after", "\nExample:\n  cloison report runs/20260101-120000-study")
    .action(async (folder: string, _options, command: Command) => {
      const { app, status } = await loadApp(cli, command);
      const { report } = await import("../app/report.ts");
      status.update("reading samples");
      const outcome = await report(app, folder).finally(() => status.end());
      answer(command, { directory: outcome.directory, valid: outcome.result.valid }, () => outcome.text(terminal()));
      if (!outcome.result.valid) cli.setExitCode(1);
    });
}

async function start(cli: CliContext, command: Command, file: string | null): Promise<void> {
  const { scale, platforms: wanted, seed, out, resume, engine } = optionsOf<RunFlags>(command);
  const { app, status } = await loadApp(cli, command);
  const { run } = await import("../app/run.ts");
  const outcome = await run(app, {
    file,
    scale: scale ?? "quick",
    signal: cli.signal,
    onPreparing: (what) => status.update(what),
    onProgress: (progress) => status.update(progressText(progress)),
    ...(wanted === undefined ? {} : { platforms: wanted }),
    ...(seed === undefined ? {} : { seed }),
    ...(out === undefined ? {} : { out }),
    ...(resume === undefined ? {} : { resume }),
    ...(engine === undefined ? {} : { engine }),
  }).finally(() => status.end());
  const directory = ownPaths(outcome.directory);
  answer(
    command,
    {
      directory,
      valid: outcome.result.valid,
      complete: outcome.result.complete,
      reasons: outcome.result.reasons,
    },
    () => ownPaths(outcome.text(terminal())),
  );
  if (outcome.interrupted) {
    status.say(`interrupted; what is done is kept: cloison run --resume ${directory} goes on`);
    cli.setExitCode(130);
  } else if (!outcome.result.valid) cli.setExitCode(1);
}

function platforms(text: string): PlatformName[] {
  const names = text.split(",").map((word) => {
    const name = PLATFORM_NAMES.find((known) => known === word.trim());
    if (name === undefined)
      throw new InvalidArgumentError(`${word.trim()} is not one of ${PLATFORM_NAMES.join(", ")}.`);
    return name;
  });
  if (new Set(names).size < names.length) throw new InvalidArgumentError("it names a platform twice.");
  return names;
}

function seed(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("it is a whole number from 0 on.");
}

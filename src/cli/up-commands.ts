import { type Command, InvalidArgumentError, Option } from "commander";
import type { AppContext } from "../app/context.ts";
import type { UpOptions, UpStep } from "../app/up.ts";
import type { PlatformName } from "../model/lab.ts";
import type { LabPlan } from "../model/plan.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import { wholeNumber } from "./lab-commands.ts";
import { loadApp } from "./load-app.ts";
import { answer, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** up, apply. */
export function addUpCommands(program: Command, cli: CliContext): void {
  program
    .command("up <lab-file>")
    .description("build a lab, or bring it to what its file says")
    .addOption(new Option("--platform <name>", "instead of the file's").choices(PLATFORM_NAMES))
    .option("--parallel <n>", "domains that are made at a time", wholeNumber)
    .option(
      "--confirm-within <duration>",
      "put a real interface that joins back after so long, unless cloison confirm comes in time",
      duration,
    )
    .addHelpText("after", "\nExample:\n  cloison up examples/study/lab.yaml --platform shared")
    .action(async (file: string, _options, command: Command) => {
      const { platform } = optionsOf<{ platform?: PlatformName }>(command);
      const { up } = await import("../app/up.ts");
      await bring(cli, command, (app, options) =>
        up(app, file, { ...options, ...(platform === undefined ? {} : { platform }) }),
      );
    });

  program
    .command("apply <lab-file>")
    .description("bring a lab that is up to what its changed file says; only what it changes is touched")
    .option("--parallel <n>", "domains that are made at a time", wholeNumber)
    .option("--confirm-within <duration>", "as of up", duration)
    .addHelpText("after", "\nExample:\n  cloison apply my/lab.yaml")
    .action(async (file: string, _options, command: Command) => {
      const { apply } = await import("../app/up.ts");
      await bring(cli, command, (app, options) => apply(app, file, options));
    });
}

/** Does the work, shows how far it is, says what came of it. */
async function bring(
  cli: CliContext,
  command: Command,
  work: (app: AppContext, options: UpOptions) => Promise<LabPlan>,
): Promise<void> {
  const { parallel, confirmWithin } = optionsOf<{ parallel?: number; confirmWithin?: number }>(command);
  const { app, status } = await loadApp(cli, command);
  let kept = 0;
  let limited: string[] = [];
  const joined: string[] = [];
  try {
    const plan = await work(app, {
      ...(parallel === undefined ? {} : { parallel }),
      ...(confirmWithin === undefined ? {} : { confirmWithinMs: confirmWithin }),
      signal: cli.signal,
      onStep: (step) => {
        if (step.step === "uplink") joined.push(step.name);
        if (step.step === "kept") {
          kept = step.names.length;
          limited = step.limited;
        } else status.update(progressText(step));
      },
    });
    for (const warning of plan.warnings) status.say(`warning: ${warning}`);
    status.end();
    const toConfirm = confirmWithin === undefined ? [] : joined;
    answer(command, plan, () => [summary(plan, kept, limited), ...confirmHint(plan, toConfirm)].join("\n"));
  } finally {
    status.end();
  }
}

/** What is being done now, in one line. */
function progressText(step: Exclude<UpStep, { step: "kept" }>): string {
  switch (step.step) {
    case "platform":
      return `trying platform ${step.name}`;
    case "image":
      return step.progress;
    case "network":
      return `network: ${step.changes} changes`;
    case "uplink":
      return `${step.name} has joined`;
    case "domain":
      return `domain ${step.done} of ${step.of}: ${step.name}`;
  }
}

/** More names than these are a number. */
const NAMES_SHOWN = 8;

function summary(plan: LabPlan, kept: number, limited: readonly string[]): string {
  const made = plan.domains.length - kept;
  const changes = [
    ...(made > 0 && kept > 0 ? [`${made} made, ${kept} kept`] : []),
    ...(limited.length > 0 ? [`limits set of ${listed(limited)}`] : []),
  ];
  if (made === 0 && limited.length === 0) changes.push("no domain had to be changed");
  const what = changes.length === 0 ? "" : ` (${changes.join("; ")})`;
  return `lab ${plan.lab} is up on ${plan.platform}: ${listed(plan.domains.map(({ name }) => name))}${what}`;
}

function listed(names: readonly string[]): string {
  return names.length > NAMES_SHOWN ? `${names.length} domains` : names.join(", ");
}

function confirmHint({ lab }: LabPlan, joined: string[]): string[] {
  return joined.length === 0 ? [] : [`${joined.join(", ")} is put back soon, unless you say: cloison confirm ${lab}`];
}

/** Longest time that a real interface may wait for a confirmation. */
const LONGEST_MS = 24 * 3600 * 1000;

/** Parses an option that is a duration, as lab files write it; in milliseconds. */
function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text) ?? [];
  const value = Number(amount) * ({ s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ""] ?? Number.NaN);
  if (!(value >= 1000 && value <= LONGEST_MS))
    throw new InvalidArgumentError("must be a duration of 1s to 24h, such as 60s");
  return value;
}

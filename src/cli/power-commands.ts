import type { Command } from "commander";
import { loadApp } from "./load-app.ts";
import { answer, columns } from "./output.ts";
import type { CliContext } from "./program.ts";

/** pause, resume, shutdown, stats. */
export function addPowerCommands(program: Command, cli: CliContext): void {
  program
    .command("pause <lab> <domain>")
    .description("stop a container or a virtual machine where it is")
    .addHelpText("after", "\nExample:\n  cloison pause study apache1")
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { pause } = await import("../app/power.ts");
      await pause(app, lab, domain);
      answer(command, { paused: domain }, () => `${domain} is paused`);
    });

  program
    .command("resume <lab> <domain>")
    .description("let a paused domain go on")
    .addHelpText("after", "\nExample:\n  cloison resume study apache1")
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { resume } = await import("../app/power.ts");
      await resume(app, lab, domain);
      answer(command, { resumed: domain }, () => `${domain} goes on`);
    });

  program
    .command("shutdown <lab> <domain>")
    .description("press the power button of a virtual machine; one that does not go is ended")
    .addHelpText("after", "\nExample:\n  cloison shutdown study apache1")
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { app, status } = await loadApp(cli, command);
      const { shutdown } = await import("../app/power.ts");
      status.update(`shutting ${domain} down`);
      const ended = await shutdown(app, lab, domain).finally(status.end);
      answer(command, { domain, ended }, () => `${domain} ended ${ended}`);
    });

  program
    .command("stats <lab> <domain>")
    .description("what a domain has used since it was made")
    .addHelpText("after", "\nExample:\n  cloison stats study apache1")
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { statistics } = await import("../app/power.ts");
      const counted = await statistics(app, lab, domain);
      answer(command, counted, () =>
        columns(Object.entries(counted).map(([name, value]) => [name, value === null ? "-" : `${value}`])),
      );
    });
}

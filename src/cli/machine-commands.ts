import { Argument, type Command } from "commander";
import { loadApp } from "./load-app.ts";
import { answer, columns } from "./output.ts";
import type { CliContext } from "./program.ts";

/** check, schema. */
export function addMachineCommands(program: Command, cli: CliContext): void {
  program
    .command("check")
    .description("what works on this machine, found by trying, and what to do about the rest")
    .addHelpText("after", "\nExamples:\n  cloison check\n  cloison check --host ssh://root@lab1")
    .action(async (_options, command: Command) => {
      const { app, status } = await loadApp(cli, command);
      const { check } = await import("../app/check.ts");
      const rows = await check(app, (what) => status.update(`trying ${what}`));
      status.end();
      answer(command, rows, () =>
        columns([
          ["KIND", "NAME", "WORKS", "WHY"],
          ...rows.map((row) => [
            row.kind,
            row.name,
            row.available ? "yes" : "no",
            row.available ? row.detail : `${row.reason}: ${row.remedy}`,
          ]),
        ]),
      );
      if (rows.some((row) => !row.available)) cli.setExitCode(1);
    });

  program
    .command("schema")
    .description("the JSON Schema of a file")
    .addHelpText("after", "\nExample:\n  cloison schema lab > lab.json")
    .addArgument(new Argument("<file>").choices(["lab", "experiment", "image", "result"]))
    .action(async (name: "lab" | "experiment" | "image" | "result") => {
      const { jsonSchema } = await import("../app/schema.ts");
      process.stdout.write(jsonSchema(name));
    });
}

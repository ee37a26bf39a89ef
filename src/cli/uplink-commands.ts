import type { Command } from "commander";
import type { ConfirmRow } from "../app/confirm.ts";
import { loadApp } from "./load-app.ts";
import { answer } from "./output.ts";
import type { CliContext } from "./program.ts";

/** confirm. */
export function addUplinkCommands(program: Command, cli: CliContext): void {
  program
    .command("confirm <lab>")
    .description("let a real interface that joined a lab stay, before up's --confirm-within has passed")
    .addHelpText("after", "\nExample:\n  cloison up lab.yaml --confirm-within 60s && cloison confirm demo")
    .action(async (lab: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { confirm } = await import("../app/confirm.ts");
      const rows = await confirm(app, lab);
      answer(command, rows, () =>
        rows.length === 0
          ? `lab ${lab} has no uplink`
          : rows.map((row) => `${row.interface}: ${SAID[row.outcome]}`).join("\n"),
      );
      if (rows.some(({ outcome }) => outcome === "too late")) cli.setExitCode(1);
    });
}

const SAID: Record<ConfirmRow["outcome"], string> = {
  confirmed: "confirmed; it stays until cloison down",
  "confirmed already": "was confirmed before",
  "needs none": "needs no confirmation",
  "too late": "too late; it is as it was before it joined",
};

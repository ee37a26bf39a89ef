import { type Command, Option } from "commander";
import type { PlatformName } from "../model/lab.ts";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import { sizeText } from "./image-text.ts";
import { wholeNumber } from "./lab-commands.ts";
import { loadApp } from "./load-app.ts";
import { answer, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** backup, restore. */
export function addBackupCommands(program: Command, cli: CliContext): void {
  program
    .command("backup <lab> <file>")
    .description("keep a lab in one file: its lab file, and what its domains have on their disks")
    .option("--with-images", "the images' root file systems, too, for a machine that cannot build the same")
    .addHelpText("after", "\nExample:\n  cloison backup study monday.tar.zst --with-images")
    .action(async (lab: string, file: string, _options, command: Command) => {
      const { withImages = false } = optionsOf<{ withImages?: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { backUp } = await import("../app/backup.ts");
      const options = { withImages, signal: cli.signal, onProgress: status.update };
      const made = await backUp(app, lab, file, options).finally(status.end);
      answer(command, made, () => `lab ${lab}: ${made.domains.join(", ")} are in ${file} (${sizeText(made.bytes)})`);
    });

  program
    .command("restore <file>")
    .description("bring a lab up from a backup of it, also on another platform")
    .addOption(new Option("--platform <name>", "instead of the one that it was on").choices(PLATFORM_NAMES))
    .option("--parallel <n>", "domains that are made at a time", wholeNumber)
    .addHelpText("after", "\nExample:\n  cloison restore monday.tar.zst --platform qemu")
    .action(async (file: string, _options, command: Command) => {
      const { platform, parallel } = optionsOf<{ platform?: PlatformName; parallel?: number }>(command);
      const { app, status } = await loadApp(cli, command);
      const { restoreLab } = await import("../app/restore.ts");
      const options = { platform, parallel, signal: cli.signal, onProgress: status.update };
      const plan = await restoreLab(app, file, options).finally(status.end);
      const names = plan.domains.map(({ name }) => name).join(", ");
      answer(command, plan, () => `lab ${plan.lab} is up on ${plan.platform} as it was kept: ${names}`);
    });
}

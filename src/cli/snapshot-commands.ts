import type { Command } from "commander";
import type { Snapshot } from "../app/snapshots.ts";
import { loadApp } from "./load-app.ts";
import { sizeText } from "./image-text.ts";
import { answer, columns, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** snapshot create, list, restore, remove. */
export function addSnapshotCommands(program: Command, cli: CliContext): void {
  const snapshot = program
    .command("snapshot")
    .description("what is a domain's own, kept and put back")
    .addHelpText(
      "after",
      "\nExamples:\n  cloison snapshot create study apache1 before-upgrade\n  cloison snapshot restore study apache1 before-upgrade",
    );

  snapshot
    .command("create <lab> <domain> [name]")
    .description("keep what is a domain's own, a virtual machine's memory included; it stands still while it is copied")
    .option("--comment <text>", "what it is for")
    .option("--disk-only", "without memory")
    .addHelpText("after", "\nExample:\n  cloison snapshot create study apache1 before-upgrade")
    .action(async (lab: string, domain: string, name: string | undefined, _options, command: Command) => {
      const { comment, diskOnly = false } = optionsOf<{ comment?: string; diskOnly?: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { createSnapshot } = await import("../app/snapshots.ts");
      status.update(`copying ${domain}`);
      const options = { name, comment: comment ?? null, diskOnly, signal: cli.signal };
      const made = await createSnapshot(app, lab, domain, options).finally(status.end);
      answer(
        command,
        made,
        () => `snapshot ${made.name} of ${made.domain}: ${sizeText(made.bytes)}${withMemory(made)}`,
      );
    });

  snapshot
    .command("list [lab] [domain]")
    .description("the snapshots of this machine, of a lab or of a domain")
    .addHelpText("after", "\nExamples:\n  cloison snapshot list\n  cloison snapshot list study apache1")
    .action(async (lab: string | undefined, domain: string | undefined, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { snapshotsOf } = await import("../app/snapshots.ts");
      const found = await snapshotsOf(app, lab, domain);
      answer(command, found, () => (found.length === 0 ? "there is no snapshot" : table(found)));
    });

  snapshot
    .command("restore <lab> <domain> <name>")
    .description("put a domain back to a snapshot of it; what it is now is lost")
    .option("--disk-only", "without its memory: it is started on its disk")
    .addHelpText("after", "\nExample:\n  cloison snapshot restore study apache1 before-upgrade")
    .action(async (lab: string, domain: string, name: string, _options, command: Command) => {
      const { diskOnly = false } = optionsOf<{ diskOnly?: boolean }>(command);
      const { app, status } = await loadApp(cli, command);
      const { restoreDomain } = await import("../app/snapshots.ts");
      status.update(`restoring ${domain}`);
      const options = { diskOnly, signal: cli.signal };
      const restored = await restoreDomain(app, lab, domain, name, options).finally(status.end);
      answer(command, restored, () => `domain ${restored.domain} is as it was at ${restored.createdAt}`);
    });

  snapshot
    .command("remove <lab> <domain> <name>")
    .description("remove a snapshot, for good")
    .addHelpText("after", "\nExample:\n  cloison snapshot remove study apache1 before-upgrade")
    .action(async (lab: string, domain: string, name: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { removeSnapshot } = await import("../app/snapshots.ts");
      const removed = await removeSnapshot(app, { lab, domain, name });
      answer(command, removed, () => `snapshot ${removed.name} of ${removed.domain}: removed`);
    });
}

function withMemory({ memory }: Snapshot): string {
  return memory ? " with its memory" : "";
}

function table(snapshots: Snapshot[]): string {
  return columns([
    ["LAB", "DOMAIN", "SNAPSHOT", "TAKEN", "PLATFORM", "KEEPS", "SIZE", "COMMENT"],
    ...snapshots.map((one) => [
      one.lab,
      one.domain,
      one.name,
      one.createdAt.slice(0, 19).replace("T", " "),
      one.platform,
      one.memory ? "disk, memory" : "disk",
      sizeText(one.bytes),
      one.comment ?? "",
    ]),
  ]);
}

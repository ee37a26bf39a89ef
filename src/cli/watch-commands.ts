import type { Command } from "commander";
import type { WatchEvent } from "../app/watch.ts";
import { loadApp } from "./load-app.ts";
import { optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** watch. */
export function addWatchCommands(program: Command, cli: CliContext): void {
  program
    .command("watch <lab>")
    .description("start domains again whose processes or guests die, until Ctrl-C; with --json a line for each event")
    .addHelpText("after", "\nExample:\n  cloison watch study --json >>study-watch.jsonl")
    .action(async (lab: string, _options, command: Command) => {
      const { json = false } = optionsOf(command);
      const { app } = await loadApp(cli, command);
      const { watch } = await import("../app/watch.ts");
      const onEvent = (event: WatchEvent) => {
        const time = new Date(app.host.clock.nowMs()).toISOString();
        process.stdout.write(
          json ? `${JSON.stringify({ time, lab, ...event })}\n` : `${time.slice(0, 19)}Z ${eventText(lab, event)}\n`,
        );
      };
      await watch(app, lab, { signal: cli.signal, onEvent });
    });
}

function eventText(lab: string, event: WatchEvent): string {
  switch (event.event) {
    case "watching":
      return `watching lab ${lab}: ${event.domains.join(", ")}`;
    case "died":
      return `${event.domain} died${event.detail === null ? "" : `: ${event.detail}`}; it is started again in ${event.restartInMs / 1000} s`;
    case "restarted":
      return `${event.domain} runs again, after ${(event.tookMs / 1000).toFixed(1)} s`;
    case "failed":
      return `${event.domain} could not be started: ${event.detail}; once more in ${event.restartInMs / 1000} s`;
    case "gone":
      return `lab ${lab} is gone`;
  }
}

import type { Command } from "commander";
import type { WatchEvent } from "../app/watch.ts";
import { loadApp } from "./load-app.ts";
import { answer, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** watch, fence-test. */
export function addWatchCommands(program: Command, cli: CliContext): void {
  program
    .command("watch <lab>")
    .description("start domains again whose processes or guests die, until Ctrl-C; with --json a line for each event")
    .option("--failover", "start here what was moved to a host that is lost, once that was ended for sure")
    .option("--fence <command>", "ends the host CLOISON_FENCE_HOST; trusted when fence-test has shown that it does")
    .addHelpText(
      "after",
      `
A domain that was moved to another host is started here only when that host was seen to have ended: the fence command said that it was
done, and neither ssh nor the lab's wire hears of it any more; or it answers again, after a start. It begins with its newest
snapshot, or its image; its memory and what it wrote since are lost. Otherwise what to do is said, and nothing is started.

Examples:
  cloison watch study --json >>study-watch.jsonl
  cloison fence-test study ssh://root@lab2 --fence 'ipmitool -H $CLOISON_FENCE_HOST-bmc chassis power cycle'
  cloison watch study --failover --fence 'ipmitool -H $CLOISON_FENCE_HOST-bmc chassis power cycle'`,
    )
    .action(async (lab: string, _options, command: Command) => {
      const { json = false, failover = false, fence } = optionsOf<{ failover?: boolean; fence?: string }>(command);
      if (failover !== (fence !== undefined)) {
        command.error("error: --failover and --fence COMMAND go together", { exitCode: 2 });
      }
      const { app } = await loadApp(cli, command);
      const { watch } = await import("../app/watch.ts");
      const onEvent = (event: WatchEvent) => {
        const time = new Date(app.host.clock.nowMs()).toISOString();
        process.stdout.write(
          json ? `${JSON.stringify({ time, lab, ...event })}\n` : `${time.slice(0, 19)}Z ${eventText(lab, event)}\n`,
        );
      };
      await watch(app, lab, { fence: fence ?? null, signal: cli.signal, onEvent });
    });

  program
    .command("fence-test <lab> <address>")
    .description("end another host by a fence command, see that it comes back anew, and record that the command works")
    .requiredOption("--fence <command>", "ends the host CLOISON_FENCE_HOST, for certain, before it is done")
    .addHelpText(
      "after",
      `
The host is really ended. No domain may be there. If the command leaves it off, start it by hand within a quarter of an hour. It was
shown to work when the host comes back from a new start; one that was only cut off comes back as it was (exit code 1).

Example:
  cloison fence-test study ssh://root@lab2 --fence 'ipmitool -H $CLOISON_FENCE_HOST-bmc chassis power cycle'`,
    )
    .action(async (lab: string, host: string, _options, command: Command) => {
      const { fence } = optionsOf<{ fence: string }>(command);
      const { app, status } = await loadApp(cli, command);
      const { rehearseFence } = await import("../app/failover/rehearse.ts");
      const onProgress = (text: string) => status.update(text);
      const shown = await rehearseFence(app, lab, { host, command: fence }, { signal: cli.signal, onProgress }).finally(
        status.end,
      );
      answer(
        command,
        shown,
        () => `${host} was ended by the command, and has started anew: watch --failover trusts it`,
      );
    });
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const hinted = (text: string, hint: string | null) => (hint === null ? text : `${text}\n  ${hint}`);

function eventText(lab: string, event: WatchEvent): string {
  switch (event.event) {
    case "watching":
      return `watching lab ${lab}: ${event.domains.join(", ")}`;
    case "trusting":
      return `the fence command is trusted for ${event.host}: it was shown to end it on ${event.shownAt.slice(0, 10)}`;
    case "died":
      return `${event.domain} died${event.detail === null ? "" : `: ${event.detail}`}; it is started again in ${event.restartInMs / 1000} s`;
    case "restarted":
      return `${event.domain} runs again, after ${seconds(event.tookMs)}`;
    case "failed":
      return `${event.domain} could not be started: ${event.detail}; once more in ${event.restartInMs / 1000} s`;
    case "lost": {
      const text = `${event.host}, where ${event.domains.join(", ")} was moved, is missing: ${event.detail}; not started here`;
      return hinted(text, event.hint);
    }
    case "back":
      return `${event.host} is there, with ${event.domains.join(", ")}`;
    case "fencing":
      return `${event.host} is missing, with ${event.domains.join(", ")}: the fence command runs`;
    case "fenced":
      return event.how === "anew"
        ? `${event.host} has started anew: ${event.domains.join(", ")} ended there`
        : `${event.host} has ended, seen by ssh and on the wire after ${seconds(event.tookMs)}: ${event.domains.join(", ")} is this host's now`;
    case "fence-failed": {
      const next = event.againInMs === null ? "it is trusted no more" : `once more in ${event.againInMs / 1000} s`;
      return hinted(`${event.host} could not be ended: ${event.detail}; ${next}`, event.hint);
    }
    case "taken-over":
      return `${event.domain} runs here, after ${seconds(event.tookMs)}, ${originText(event)}; what it wrote since at ${event.host}, and its memory, is lost`;
    case "take-over-failed": {
      const text = `${event.domains.join(", ")} could not be made here: ${event.detail}; once more in ${event.againInMs / 1000} s`;
      return hinted(text, event.hint);
    }
    case "cleared":
      return event.ranOn
        ? `${event.host} had NOT ended, whatever the fence command said: ${event.domains.join(", ")} may have run twice; there it is removed now, and the command is trusted no more`
        : `${event.host} is back, and what it had left of ${event.domains.join(", ")} is removed`;
    case "gone":
      return `lab ${lab} is gone`;
  }
}

function originText({ snapshot }: Extract<WatchEvent, { event: "taken-over" }>): string {
  return snapshot === null
    ? "made of its image"
    : `from its snapshot ${snapshot.name}, ${Math.round(snapshot.ageMs / 60_000)} min old`;
}

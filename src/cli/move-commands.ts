import type { Command } from "commander";
import type { Moved } from "../app/move/move.ts";
import { loadApp } from "./load-app.ts";
import { answer, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** move; and what it asks Cloison at the other host. */
export function addMoveCommands(program: Command, cli: CliContext): void {
  program
    .command("move <lab> <domain>")
    .description("move a domain that runs to another host; a virtual machine keeps its memory and connections")
    .requiredOption("--to <host>", "ssh://[user@]name[:port]; local: back to the lab's own host")
    .addHelpText(
      "after",
      `
Both hosts must be on the wire that its network has as uplink, under the same name. A virtual machine goes on while it is moved; how
long it did not answer is measured from the lab's station, every 10 ms. A domain of Xen is saved, copied, and goes on
there. A container is stopped, copied with what it wrote, and started there.

Examples:
  cloison move study apache1 --to ssh://root@lab2
  cloison move study apache1 --to local              back again`,
    )
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { to } = optionsOf<{ to: string }>(command);
      const { app, status } = await loadApp(cli, command);
      const { move } = await import("../app/move/move.ts");
      const onProgress = (text: string) => status.update(`moving ${domain}: ${text}`);
      const moved = await move(app, lab, domain, to, { signal: cli.signal, onProgress }).finally(status.end);
      answer(command, moved, () => movedText(moved));
    });

  program
    .command("part <what> <lab>", { hidden: true })
    .description("what `move` asks of another host, on standard input")
    .action(async (what: string, lab: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { servePart } = await import("../app/move/serve.ts");
      await servePart(app, what, lab, cli.signal);
    });
}

function movedText({ domain, host, tookMs, silence }: Moved): string {
  const took = `${(tookMs / 1000).toFixed(1)} s`;
  const heard =
    silence === null
      ? "the lab's station could not ask it meanwhile"
      : silence.unanswered === null
        ? `its programs stood still for ${silence.longestMs} ms`
        : `it did not answer for ${silence.longestMs} ms (${silence.unanswered} of the station's pings, one every 10 ms)`;
  return `${domain} ${host === "local" ? "is back with its lab" : `runs on ${host} now`}; moving it took ${took}, and ${heard}`;
}

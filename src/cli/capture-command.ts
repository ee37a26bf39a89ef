import type { Command } from "commander";
import { loadApp } from "./load-app.ts";
import { optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";
import { wholeNumber } from "./lab-commands.ts";

/** net capture. */
export function addCaptureCommand(net: Command, cli: CliContext): void {
  net
    .command("capture <lab> [filter...]")
    .description("shows the frames that pass an interface, until Ctrl-C")
    .requiredOption("--on <interface>", "a vif or bridge of the host, trunk, or eth0@PART inside another part")
    .option("-w, --write <file>", "also writes them as pcapng, for Wireshark")
    .option("-c, --count <n>", "ends after so many frames", wholeNumber)
    .addHelpText(
      "after",
      `
FILTER is an expression of pcap-filter(7).

Examples:
  cloison net capture net-nat --on vif1.0
  cloison net capture net-vlan-dmz --on trunk -w trunk.pcapng icmp or arp`,
    )
    .action(async (lab: string, filter: string[], _options, command: Command) => {
      const options = optionsOf<{ on: string; write?: string; count?: number }>(command);
      const { app, status } = await loadApp(cli, command);
      const { capture } = await import("../app/network/capture.ts");
      const frames = await capture(app, lab, {
        on: options.on,
        filter: filter.length === 0 ? null : filter.join(" "),
        file: options.write ?? null,
        count: options.count ?? null,
        signal: cli.signal,
        onListening: (where) => status.say(`listening on ${where}; Ctrl-C ends`),
        onFrame: (line) => process.stdout.write(`${line}\n`),
      });
      status.say(`${frames} ${frames === 1 ? "frame" : "frames"}`);
    });
}

import { type Command, Option } from "commander";
import { loadApp } from "./load-app.ts";
import { addCaptureCommand } from "./capture-command.ts";
import { answer, optionsOf, terminal } from "./output.ts";
import type { CliContext } from "./program.ts";

/** net show, diff, repair, predict, verify, why, draw, capture. */
export function addNetCommands(program: Command, cli: CliContext): void {
  const net = program
    .command("net")
    .description("a lab's network: as wanted, as it is, what can reach what, and why not")
    .addHelpText(
      "after",
      `
Examples:
  cloison net predict examples/networks/nat.yaml   what will reach what, before anything is built
  cloison net verify net-nat                       the same with real packets, and where both differ
  cloison net why net-nat outside web:80           which object stops it, and what would let it pass
  cloison net diff net-nat                         what somebody has changed
  cloison net repair net-nat                       back to the plan, nothing else touched

LAB is the name, or the file, of a lab that is up; show, predict, draw and why --planned also take the file of one that is not.`,
    );

  net
    .command("show <lab>")
    .description("what the plan wants, per namespace")
    .addHelpText(
      "after",
      "\nExamples:\n  cloison net show net-nat --in host --format iptables\n  cloison net show net-nat --observed",
    )
    .addOption(new Option("--format <style>", "as these tools list it").choices(["ifconfig", "route", "iptables"]))
    .option("--observed", "what the kernel has, instead of what the plan wants")
    .option("--in <part>", "only this part: host, lan, station or a domain")
    .action(async (lab: string, _options, command: Command) => {
      const options = optionsOf<{ format?: "ifconfig" | "route" | "iptables"; observed?: boolean; in?: string }>(
        command,
      );
      const { app } = await loadApp(cli, command);
      const { showNetwork, networkText } = await import("../app/network/show.ts");
      const state = await showNetwork(app, lab, { observed: options.observed === true, part: options.in ?? null });
      answer(command, state, () => networkText(state, options.format ?? null));
    });

  net
    .command("diff <lab>")
    .description("what differs from the plan; exit code 1 when anything does")
    .addHelpText("after", "\nExample:\n  cloison net diff net-nat")
    .action(async (lab: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { diffLab, driftText } = await import("../app/network/diff.ts");
      const { isDrift } = await import("../app/network/drift.ts");
      const drift = await diffLab(app, lab);
      answer(command, drift, () => driftText(drift));
      if (isDrift(drift)) cli.setExitCode(1);
    });

  net
    .command("repair <lab>")
    .description("back to the plan, with the fewest changes; what is right is not touched")
    .addHelpText("after", "\nExample:\n  cloison net repair net-nat")
    .action(async (lab: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { repair, repairText } = await import("../app/network/repair.ts");
      const done = await repair(app, lab);
      answer(command, done, () => repairText(done));
      if (done.left.length > 0) cli.setExitCode(1);
    });

  net
    .command("predict <lab>")
    .description("what can reach what, derived from the plan alone; no packet is sent")
    .option("--observed", "derived from what the kernel has, instead of the plan")
    .addHelpText("after", "\nExample:\n  cloison net predict examples/networks/vlan-dmz.yaml")
    .action(async (lab: string, _options, command: Command) => {
      const options = optionsOf<{ observed?: boolean }>(command);
      const { app } = await loadApp(cli, command);
      const { predictLab, predictText } = await import("../app/network/predict.ts");
      const rows = await predictLab(app, lab, { observed: options.observed === true });
      answer(command, rows, () => predictText(rows, terminal()));
    });

  net
    .command("verify <lab>")
    .description("sends the real packets and compares with the prediction; exit code 1 on a mismatch")
    .option("--from <name>", "only questions that this endpoint asks")
    .option("--to <name>", "only questions about this endpoint")
    .option("--junit <file>", "also writes the answers as JUnit XML")
    .addHelpText("after", "\nExample:\n  cloison net verify net-nat --from outside --junit reachability.xml")
    .action(async (lab: string, _options, command: Command) => {
      const options = optionsOf<{ from?: string; to?: string; junit?: string }>(command);
      const { app, status } = await loadApp(cli, command);
      const { verifiedText, verifyLab, writeJunit } = await import("../app/network/verify.ts");
      const verified = await verifyLab(app, lab, {
        from: options.from ?? null,
        to: options.to ?? null,
        signal: cli.signal,
        onProgress: (done, of) => status.update(`asked ${done} of ${of}`),
      }).finally(status.end);
      if (options.junit !== undefined) await writeJunit(app, options.junit, verified);
      answer(command, verified, () => verifiedText(verified, terminal()));
      if (!verified.agrees) cli.setExitCode(1);
    });

  net
    .command("why <lab> <from> <to>")
    .description("the way of a packet, hop by hop, and the object that stops it")
    .option("--confirm", "sends one packet under nftables' tracing and compares")
    .option("--planned", "walks the plan, instead of what the kernel has")
    .option("--size <bytes>", "of the IP packet, not to be fragmented", Number)
    .addHelpText(
      "after",
      `
TO is a name or an address (IPv6 with a port: [fd00::1]:80), with a port, a port and /udp, or :arp behind it; without, it is
a ping.

Examples:
  cloison net why net-nat outside web
  cloison net why net-nat outside host:8080
  cloison net why net-routed station web:53/udp --confirm`,
    )
    .action(async (lab: string, from: string, to: string, _options, command: Command) => {
      const options = optionsOf<{ confirm?: boolean; planned?: boolean; size?: number }>(command);
      const { app } = await loadApp(cli, command);
      const { isGood, toldText, why } = await import("../app/network/why.ts");
      const told = await why(app, lab, from, to, {
        planned: options.planned === true,
        confirm: options.confirm === true,
        size: options.size ?? null,
        signal: cli.signal,
      });
      answer(command, told, () => toldText(told, terminal()));
      if (!isGood(told)) cli.setExitCode(1);
    });

  net
    .command("draw <lab>")
    .description("a drawing of the network, as SVG, on standard output")
    .addHelpText("after", "\nExample:\n  cloison net draw examples/networks/mixed.yaml > mixed.svg")
    .action(async (lab: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { drawLab } = await import("../app/network/draw.ts");
      process.stdout.write(await drawLab(app, lab));
    });

  addCaptureCommand(net, cli);
}

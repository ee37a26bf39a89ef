import { constants } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import type { AppContext } from "../app/context.ts";
import type { DomainRow } from "../app/inspect.ts";
import type { RemoteLabRow } from "../app/remote/list.ts";
import { loadApp } from "./load-app.ts";
import { answer, columns, optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";

/** down, ls, ps, exec, console, logs. */
export function addLabCommands(program: Command, cli: CliContext): void {
  program
    .command("down [lab]")
    .description("remove a lab, wholly; also what a crash left of it")
    .option("--all", "every lab that no other cloison is using")
    .addHelpText("after", "\nExamples:\n  cloison down study\n  cloison down --all")
    .action(async (lab: string | undefined, _options, command: Command) => {
      const { all } = optionsOf<{ all?: boolean }>(command);
      if ((lab === undefined) === (all !== true)) command.error("error: name a lab, or say --all", { exitCode: 2 });
      const { app, status } = await loadApp(cli, command);
      const { down, downAll } = await import("../app/down.ts");
      status.update(lab === undefined ? "removing all labs" : `removing ${lab}`);
      const results = await (lab === undefined ? downAll(app) : down(app, lab).then((one) => [one])).finally(
        status.end,
      );
      answer(command, results, () =>
        results.length === 0
          ? "there is no lab"
          : results.map((r) => `lab ${r.lab}: ${r.message ?? r.outcome}`).join("\n"),
      );
      if (results.some(({ outcome }) => outcome === "failed")) cli.setExitCode(5);
      else if (results.some(({ outcome }) => outcome === "in use")) cli.setExitCode(4);
    });

  program
    .command("ls")
    .description("the labs of this machine, and those of other hosts that were made from here")
    .addHelpText("after", "\nExamples:\n  cloison ls\n  cloison ls --json")
    .action(async (_options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { listLabs } = await import("../app/inspect.ts");
      const rows = [
        ...(await listLabs(app)).map((row) => ({ ...row, host: null })),
        ...(await remoteLabs(app, command)),
      ];
      // Most users have none elsewhere.
      const elsewhere = rows.some(({ host }) => host !== null);
      answer(command, rows, () =>
        rows.length === 0
          ? "there is no lab; cloison up FILE makes one"
          : columns([
              ["LAB", "PLATFORM", "RUNNING", "STATE", ...(elsewhere ? ["HOST"] : [])],
              ...rows.map((row) => [
                row.lab,
                row.platform ?? "-",
                `${row.running ?? "-"}/${row.domains ?? "-"}`,
                row.state,
                ...(elsewhere ? [row.host ?? ""] : []),
              ]),
            ]),
      );
    });

  program
    .command("ps [lab]")
    .description("the domains of a lab, or of all labs, as they are now")
    .addHelpText("after", "\nExamples:\n  cloison ps\n  cloison ps study")
    .action(async (lab: string | undefined, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { listDomains, listLabs } = await import("../app/inspect.ts");
      const { labNameOf } = await import("../app/down.ts");
      const labs =
        lab === undefined
          ? (await listLabs(app)).filter(({ state }) => state !== "incomplete").map((row) => row.lab)
          : [await labNameOf(app, lab)];
      const here = await Promise.all(labs.map((name) => listDomains(app, name)));
      const rows = [...here.flat(), ...(lab === undefined ? await remoteDomains(app, command) : [])];
      answer(command, rows, () =>
        rows.length === 0
          ? "there is no lab; cloison up FILE makes one"
          : [
              columns([
                ["LAB", "ID", "DOMAIN", "PLATFORM", "STATE", "PID", "VIF", "NETWORK", "MODE", "ADDRESS", "MAC"],
                ...rows.flatMap((row) =>
                  row.interfaces.map((nic, i) =>
                    i === 0
                      ? [
                          row.lab,
                          `${row.id}`,
                          row.domain,
                          row.platform,
                          row.state,
                          `${row.pid ?? "-"}`,
                          nic.vif,
                          nic.network,
                          nic.mode,
                          nic.address,
                          nic.mac,
                        ]
                      : ["", "", "", "", "", "", nic.vif, nic.network, nic.mode, nic.address, nic.mac],
                  ),
                ),
              ]),
              ...rows.flatMap(({ domain, state, detail }) =>
                detail === null ? [] : [`${domain} is ${state}: ${detail}`],
              ),
            ].join("\n"),
      );
    });

  program
    .command("exec <lab> <domain> <program...>")
    .description("run a program in a domain; its exit code becomes this one's")
    .option("--user <name>", "as this user of the domain")
    .addHelpText("after", "\nExample:\n  cloison exec study apache1 -- ip addr show eth0")
    .action(async (lab: string, domain: string, argv: string[], _options, command: Command) => {
      const options = optionsOf<{ user?: string }>(command);
      const { app } = await loadApp(cli, command);
      const { exec } = await import("../app/exec.ts");
      const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true && options.json !== true;
      const exit = await exec(app, lab, domain, argv as [string, ...string[]], {
        terminal,
        signal: cli.signal,
        capture: options.json === true,
        ...(options.user === undefined ? {} : { user: options.user }),
      });
      if (options.json === true) answer(command, exit, () => "");
      cli.setExitCode(exitCodeOf(exit));
    });

  program
    .command("console <lab> <domain>")
    .description("a shell in a domain")
    .addHelpText("after", "\nExample:\n  cloison console study linux1")
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { CONSOLE_ARGV, exec } = await import("../app/exec.ts");
      const exit = await exec(app, lab, domain, CONSOLE_ARGV, {
        terminal: process.stdin.isTTY === true,
        signal: cli.signal,
      });
      cli.setExitCode(exitCodeOf(exit));
    });

  program
    .command("logs <lab> <domain>")
    .description("what the services of a domain have printed")
    .addHelpText("after", "\nExample:\n  cloison logs study apache1")
    .action(async (lab: string, domain: string, _options, command: Command) => {
      const { app } = await loadApp(cli, command);
      const { logs } = await import("../app/exec.ts");
      const log = await logs(app, lab, domain);
      answer(command, log, () => log.text.trimEnd());
    });
}

/** `--host local` leaves other hosts alone. */
async function remoteLabs(app: AppContext, command: Command): Promise<RemoteLabRow[]> {
  if (optionsOf<{ host?: string }>(command).host !== undefined) return [];
  return (await import("../app/remote/list.ts")).listRemoteLabs(app);
}

async function remoteDomains(app: AppContext, command: Command): Promise<DomainRow[]> {
  if (optionsOf<{ host?: string }>(command).host !== undefined) return [];
  return (await import("../app/remote/list.ts")).listRemoteDomains(app);
}

/** A program that a signal ended is told as shells do (POSIX 2.8.2): more than 128, by the signal's number. */
function exitCodeOf({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** Parses an option that is a whole number of at least 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be a whole number of at least 1");
  return value;
}

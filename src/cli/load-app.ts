import type { Command } from "commander";
import type { AppContext, InstallPolicy } from "../app/context.ts";
import { optionsOf } from "./output.ts";
import type { CliContext } from "./program.ts";
import { statusLine, type StatusLine } from "./status-line.ts";

/** Loads the context for a command, with what it says going to stderr. */
export async function loadApp(cli: CliContext, command: Command): Promise<{ app: AppContext; status: StatusLine }> {
  const status = statusLine(process.stderr, () => performance.now());
  const app = await cli.load({ install: installPolicy(command, status), say: (line) => status.say(line) });
  return { app, status };
}

function installPolicy(command: Command, status: StatusLine): InstallPolicy {
  const options = optionsOf(command);
  if (options.install === false) return { kind: "never" };
  if (options.yes === true || !process.stdin.isTTY || !process.stderr.isTTY) return { kind: "yes" };
  return {
    kind: "ask",
    async confirm(question) {
      status.end();
      const { createInterface } = await import("node:readline/promises");
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      const reply = await prompt.question(`${question} [Y/n] `);
      prompt.close();
      return /^(y|yes|)$/i.test(reply.trim());
    },
  };
}

import { readdirSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { createProgram } from "./program.ts";

const program = createProgram("0", {
  load: () => Promise.reject(new Error("no command is carried out here")),
  argv: [],
  signal: new AbortController().signal,
  setExitCode: () => undefined,
});

/** Those that `--help` shows, groups too. */
function commandsOf(command: Command): Command[] {
  const shown = command.createHelp().visibleCommands(command);
  return [command, ...shown.filter((one) => one.name() !== "help").flatMap(commandsOf)];
}

/** Lines of a help text that are a command line; what stands behind two spaces tells about it. */
function examplesOf(command: Command): string[] {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return [...text.matchAll(/^ {2}(?:\w+=\S+ )?cloison (.+?)(?: {2,}.*)?$/gm)].map(([, words = ""]) => words);
}

const commands = commandsOf(program);
const named = (command: Command) =>
  `${command.parent?.parent === null ? "" : `${command.parent?.name()} `}${command.name()}`;

test("every command shows an example", () => {
  expect(commands.length).toBeGreaterThan(40);
  expect(commands.filter((command) => examplesOf(command).length === 0).map(named)).toEqual([]);
});

test("examples, here and in the documentation, are of commands, options and numbers of words that there are", () => {
  const pages = ["README.md", ...readdirSync("docs").flatMap((name) => (name.endsWith(".md") ? [`docs/${name}`] : []))];
  const printed = pages.flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(/^(?:\$ )?(?:\.\/)?cloison (.+?)(?: {2,}.*)?$/gm)].map(
      ([, words = ""]) => words,
    ),
  );
  expect(printed.length).toBeGreaterThan(50);
  expect(printed.filter((example) => !isCommandLine(example))).toEqual([]);
  const wrong = commands.flatMap(examplesOf).filter((example) => !isCommandLine(example));
  expect(wrong).toEqual([]);
  expect(isCommandLine("nets verify study")).toBe(false);
  expect(isCommandLine("net verify study --form outside")).toBe(false);
  expect(isCommandLine("net verify")).toBe(false);
});

function isCommandLine(example: string): boolean {
  const [first = ""] = example.split(/ (?:&&|[>|#]) /);
  let command = program;
  let rest: string[] = first.match(/'[^']*'|\S+/g) ?? [];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0] || one.aliases().includes(rest[0] ?? ""));
    if (next === undefined) break;
    [command, rest] = [next, rest.slice(1)];
  }
  const known = [...command.options, ...program.options];
  const { operands, unknown } = command.parseOptions(rest);
  const isKnown = (word: string) => known.some(({ long, short }) => word === long || word === short);
  const needed = command.registeredArguments.filter(({ required }) => required).length;
  const most = command.registeredArguments.some(({ variadic }) => variadic)
    ? Infinity
    : command.registeredArguments.length;
  const count = operands.length;
  return count >= needed && count <= most && unknown.filter((word) => word.startsWith("-")).every(isKnown);
}

import type { Command } from "commander";
import type { Terminal } from "../app/context.ts";

/** Options that every command has; they may stand before or after its name. */
export interface GlobalOptions {
  json?: boolean;
  yes?: boolean;
  install?: boolean;
}

/** Values of a command's options, the program's included. */
export function optionsOf<T extends object>(command: Command): T & GlobalOptions {
  return command.optsWithGlobals<T & GlobalOptions>();
}

/** Prints an answer: as JSON when asked for, else as text. */
export function answer(command: Command, value: unknown, text: () => string): void {
  const json = optionsOf(command).json === true;
  process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
}

/** Rows in columns, the first row being the heading. Two spaces apart, no borders, so that cut and awk can read it. */
export function columns(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Standard output, as what prints on it wants to know it. */
export function terminal(): Terminal {
  const colour = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined;
  return { colour, width: process.stdout.columns ?? 100 };
}

import { NOT_JUDGED, type Row } from "./row.ts";

const headings = ["what", "against", "unit", "ours", "theirs", "ratio", "interval", "wanted", "met"];

/** Rows as a Markdown table, which reads well in a terminal, too; notes follow as a list. */
export function benchTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.against,
    row.unit,
    figure(row.ours),
    row.against === "-" ? "-" : figure(row.theirs),
    figure(row.ratio),
    `${figure(row.low)} to ${figure(row.high)}`,
    row.wanted,
    row.wanted === NOT_JUDGED ? "-" : row.met ? "yes" : "**no**",
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  const notes = rows
    .filter((row) => row.note !== undefined)
    .map((row) => `- ${row.name}, against ${row.against}: ${row.note}`);
  return [line(headings), rule, ...cells.map(line), ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

/** Three significant digits; thousands apart. */
function figure(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

import Table from "cli-table3";
import picocolors from "picocolors";
import type { PlatformName } from "../model/lab.ts";
import type { Result } from "../model/result.ts";
import { annexRows, summariseRuns, type AnnexSummary } from "./annex.ts";
import { formatCount, formatMs, formatMsCell, formatRatio } from "./format.ts";
import { viewRun, type RunView } from "./run-view.ts";
import { emulationSentences, intervalText, platformSentence, scaleSentences, validitySentence } from "./sentences.ts";
import { VERDICT_STYLES, type Verdict } from "./verdicts.ts";

interface TerminalOptions {
  colour: boolean;
  /** Columns of the terminal; narrow ones lose the columns that matter least. */
  width: number;
}

type Colours = ReturnType<typeof picocolors.createColors>;

interface Column {
  head: string;
  align: "left" | "right";
  /** Left out below this width of the terminal. */
  fromWidth?: number;
  cell: (row: AnnexSummary) => string;
}

const ANNEX: readonly Column[] = [
  { head: "figure", align: "right", fromWidth: 110, cell: (row) => String(row.figure ?? "") },
  { head: "platform", align: "left", cell: (row) => row.platform },
  { head: "load", align: "left", cell: (row) => row.load },
  { head: "target", align: "left", cell: (row) => row.target },
  { head: "runs", align: "right", fromWidth: 118, cell: (row) => String(row.runs) },
  { head: "requests", align: "right", fromWidth: 92, cell: (row) => formatCount(row.requests) },
  {
    head: "concurrency",
    align: "right",
    fromWidth: 100,
    cell: (row) => (row.concurrency === null ? "" : formatCount(row.concurrency)),
  },
  { head: "min", align: "right", fromWidth: 72, cell: (row) => formatMsCell(row.min) },
  { head: "mean", align: "right", cell: (row) => formatMsCell(row.mean) },
  {
    head: "sd",
    align: "right",
    fromWidth: 80,
    cell: (row) => (row.sd === null && row.mean !== null ? "" : formatMsCell(row.sd)),
  },
  { head: "median", align: "right", fromWidth: 72, cell: (row) => formatMsCell(row.median) },
  { head: "p95", align: "right", cell: (row) => formatMsCell(row.p95) },
  { head: "max", align: "right", cell: (row) => formatMsCell(row.max) },
];

/**
 * What `run`, `study` and `report` print: validity, the annex-like table (ms), the verdicts, a sentence per platform. Of a
 * functional run the first only.
 */
export function renderTerminalTable(result: Result, options: TerminalOptions): string {
  const colours = picocolors.createColors(options.colour);
  if (result.functional) return `${validityText(result, options, colours)}\n`;
  const view = viewRun(result);
  const sections = [
    validityText(result, options, colours),
    annexText(result, options, colours),
    verdictText(view, options, colours),
    [
      ...view.platforms.map((platform) => platformSentence(view, platform)),
      ...emulationSentences(view),
      ...(result.calibration === null ? [] : scaleSentences(result.calibration)),
    ]
      .map((sentence) => wrap(sentence, options.width))
      .join("\n\n"),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function validityText(result: Result, { width }: TerminalOptions, colours: Colours): string {
  const { tone, title, text, reasons } = validitySentence(result);
  const paint = { valid: colours.green, indicative: colours.yellow, invalid: colours.red }[tone];
  const mark = { valid: "✔", indicative: "▲", invalid: "✘" }[tone];
  const told = wrap(text, width - 2).replaceAll(/^/gm, "  ");
  const why = reasons.map((reason) => `  - ${wrap(reason, width - 4).replaceAll("\n", "\n    ")}`);
  return [paint(colours.bold(`${mark} ${title}`)), told, ...why].join("\n");
}

function annexText(result: Result, { width }: TerminalOptions, colours: Colours): string {
  const rows = summariseRuns(annexRows(result));
  if (rows.length === 0) return "";
  const columns = ANNEX.filter((column) => width >= (column.fromWidth ?? 0));
  const heads = columns.map((column) => colours.bold(column.head));
  const table = plainTable(
    heads,
    columns.map((column) => column.align),
  );
  for (const [index, row] of rows.entries()) {
    const above = rows[index - 1];
    if (above !== undefined && above.load !== row.load) table.push(columns.map(() => ""));
    table.push(columns.map((column) => column.cell(row)));
  }
  const title = "The study’s own probe, and the loads themselves, in ms";
  const note =
    "min and max over all runs, mean and sd of all answers, median and p95: median over the runs; ∞: no answer";
  return [colours.bold(title), table.toString(), ...wrap(note, width).split("\n").map(colours.dim)].join("\n");
}

function verdictText(view: RunView, options: TerminalOptions, colours: Colours): string {
  const intervals = options.width >= 84;
  const heads = ["platform", "load", "p95", ...(intervals ? ["interval"] : []), "ratio", "verdict"];
  const aligns: ("left" | "right")[] = [
    "left",
    "left",
    "right",
    ...(intervals ? (["left"] as const) : []),
    "right",
    "left",
  ];
  const table = plainTable(heads.map(colours.bold), aligns);
  let rows = 0;
  for (const platform of view.platforms) {
    if (rows > 0) table.push(heads.map(() => ""));
    for (const cells of verdictRows(view, platform, intervals, colours)) rows = table.push(cells);
  }
  if (rows === 0) return "";
  const title = `Verdicts on ${view.target} (${view.metric}, requests without an answer as infinitely slow)`;
  return [...wrap(title, options.width).split("\n").map(colours.bold), table.toString()].join("\n");
}

function verdictRows(view: RunView, platform: PlatformName, intervals: boolean, colours: Colours): string[][] {
  return view.phases.flatMap((phase) => {
    const row = view.cell(platform, phase.name).comparison;
    if (row === null) return [];
    const { mark, word } = VERDICT_STYLES[row.verdict];
    const text = `${mark} ${word}${row.indicative && row.verdict !== "reference" ? " (indicative)" : ""}`;
    return [
      [
        view.nameOf(platform),
        phase.name,
        formatMs(row.estimate),
        ...(intervals ? [intervalText(row) ?? "–"] : []),
        row.verdict === "reference" ? "" : formatRatio(row.ratio.estimate),
        verdictColour(row.verdict, colours)(text),
      ],
    ];
  });
}

function verdictColour(verdict: Verdict, colours: Colours): (text: string) => string {
  const { severity } = VERDICT_STYLES[verdict];
  if (severity >= 5) return colours.red;
  if (severity >= 3) return colours.yellow;
  return verdict === "unaffected" ? colours.green : colours.dim;
}

function plainTable(head: string[], colAligns: ("left" | "right")[]): Table.Table {
  const none = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
  };
  const inner = { left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: " " };
  return new Table({
    head,
    colAligns,
    chars: { ...none, ...inner },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 1, compact: true },
  });
}

/** Breaks at spaces so that no line is longer than `width`, unless one word is. */
function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

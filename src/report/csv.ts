import type { Result } from "../model/result.ts";
import { annexRows, type AnnexRow } from "./annex.ts";
import { ANNEX_COLUMNS } from "./data/study-2009.ts";

/**
 * `table.csv`: the annex-like table, one line per run, with the columns of the study's annex (ms; four significant
 * digits). As there, TO stands for a figure that a request without an answer has made infinite. Valid trials only.
 */
export function renderCsv(result: Result): string {
  const lines = annexRows(result).map((row) => ANNEX_COLUMNS.map((column) => cell(row, column)).join(","));
  return `${[ANNEX_COLUMNS.join(","), ...lines].join("\n")}\n`;
}

function cell(row: AnnexRow, column: (typeof ANNEX_COLUMNS)[number]): string {
  const value = row[column];
  if (column === "figure" || column === "concurrency") return value === null ? "" : String(value);
  if (column === "requests") return String(value);
  if (value === null) return column === "sd" && row.mean !== null ? "" : "TO";
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : quote(value);
}

/** RFC 4180. */
function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

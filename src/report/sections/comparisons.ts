import type { Comparison, Result } from "../../model/result.ts";
import { formatMs, formatRatio, formatShare } from "../format.ts";
import { html, type Html } from "../html.ts";
import type { RunView } from "../run-view.ts";
import { emulationSentences, intervalText } from "../sentences.ts";
import { dataTable, verdictChip, type TableColumn, type TableRow } from "./parts.ts";

/** Comparisons beyond the matrix: the other probes, and platform against platform. */
export function otherComparisons(result: Result, view: RunView): Html {
  const isMain = (row: Comparison): boolean => row.target === view.target && row.metric === view.metric;
  const others = result.comparisons.filter((row) => row.kind === "phase" && !isMain(row));
  const between = result.comparisons.filter((row) => row.kind === "platform");
  return html`${
    others.length > 0 &&
    html`<h3>Other probes</h3>
      ${othersTable(others)}`
  }
  ${
    between.length > 0 &&
    html`<h3>Platform against platform</h3>
      ${emulationSentences(view).map((sentence) => html`<p>${sentence}</p>`)} ${betweenTable(between, view)}`
  }`;
}

function othersTable(rows: readonly Comparison[]): Html {
  const columns: TableColumn[] = [
    { head: "metric" },
    { head: "target" },
    { head: "platform" },
    { head: "load" },
    { head: "estimate", numeric: true },
    { head: "interval" },
    { head: "ratio", numeric: true },
    { head: "unanswered", numeric: true },
    { head: "verdict" },
  ];
  const body = rows.map((row): TableRow => ({
    cells: [
      row.metric,
      row.target,
      row.platform,
      row.phase,
      formatMs(row.estimate),
      intervalText(row) ?? "–",
      ratio(row),
      formatShare(row.unanswered),
      verdictChip(row),
    ],
  }));
  return dataTable("What other probes saw, each against its own reference.", columns, body);
}

/** Between platforms there is no reference to be unaffected by. */
const BETWEEN_WORDS: Partial<Record<Comparison["verdict"], string>> = { unaffected: "alike", degraded: "slower" };

function betweenTable(rows: readonly Comparison[], view: RunView): Html {
  const probes = new Set(rows.map(probeOf));
  const named = probes.size > 1;
  const columns: TableColumn[] = [
    { head: "load" },
    ...(named ? [{ head: "probe" }] : []),
    { head: "slower" },
    { head: "its figure", numeric: true },
    { head: "other" },
    { head: "its figure", numeric: true },
    { head: "ratio", numeric: true },
    { head: "interval of the ratio" },
    { head: "verdict" },
  ];
  const body = rows.map((row): TableRow => {
    const { low, high } = row.ratio;
    const interval = row.confidence === null ? "–" : `${formatRatio(low)} to ${formatRatio(high)}`;
    const other = view.platforms.find((platform) => platform === row.against);
    const against = other === undefined ? row.against : view.nameOf(other);
    const slower = [view.nameOf(row.platform), formatMs(row.estimate), against, formatMs(row.reference)];
    const verdict = verdictChip(row, BETWEEN_WORDS[row.verdict]);
    return {
      cells: [
        row.phase,
        ...(named ? [probeOf(row)] : []),
        ...slower,
        formatRatio(row.ratio.estimate),
        interval,
        verdict,
      ],
    };
  });
  const of = named ? "" : ` (${[...probes].join("")})`;
  return dataTable(`The platforms under the same load${of}, paired by block.`, columns, body);
}

function probeOf(row: Comparison): string {
  return `${row.metric} of ${row.target}`;
}

function ratio(row: Comparison): string {
  return row.verdict === "reference" ? "" : formatRatio(row.ratio.estimate);
}

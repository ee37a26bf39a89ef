import type { PlatformName } from "../../model/lab.ts";
import type { Result } from "../../model/result.ts";
import { annexRows, STUDY_LOADS, studyKind, summariseRuns, type AnnexRow, type AnnexSummary } from "../annex.ts";
import { ANNEX_FIGURES, type AnnexFigures, type Study2009, type StudyRow } from "../data/study-2009.ts";
import { formatCount, formatMsCell } from "../format.ts";
import { html, type Html } from "../html.ts";
import type { RunView } from "../run-view.ts";
import { dataTable, type TableColumn, type TableRow } from "./parts.ts";

const NUMERIC: readonly TableColumn[] = ["requests", "concurrency", ...ANNEX_FIGURES].map((head) => ({
  head,
  numeric: true,
}));

/** The study's own probe then and now, and every row behind it. */
export function annexSection(result: Result, view: RunView, study: Study2009): Html {
  const rows = annexRows(result);
  const summaries = summariseRuns(rows);
  return html`<h2 id="annex">Beside the study of 2009</h2>
    <p>
      The study probed with 50 requests, 5 at a time, three times during each load; the same probe ran here, before the
      one that the verdicts rest on. Machines, kernels and versions differ by seventeen years: compare the patterns, not
      the milliseconds. Xen’s domains stand beside today’s isolated platforms, its shared system beside ours.
    </p>
    ${thenAndNow(summaries, view, study)}
    ${summaries.length === 0 ? html`<p class="note">This run has no readings of the study’s own probe.</p>` : summaryTable(summaries)}
    <details>
      <summary>Every run of it (${formatCount(rows.length)} rows; also in table.csv)</summary>
      ${runsTable(rows)}
    </details>
    <details>
      <summary>The study’s annex, as printed</summary>
      ${studyTable(study.annex)}
    </details>
    <details>
      <summary>The Isolation Benchmark Suite’s own table, 2007</summary>
      ${suiteTable(study)}
    </details>`;
}

function thenAndNow(summaries: readonly AnnexSummary[], view: RunView, study: Study2009): Html {
  const rows: { phase: string; platform: PlatformName; studied: readonly StudyRow[]; now: AnnexSummary | undefined }[] =
    [];
  for (const phase of view.phases) {
    for (const platform of view.platforms) {
      const studied = studyRows(study, phase.name, platform);
      const now = summaries.find((row) => row.load === phase.name && row.platform === platform && row.role === "annex");
      if (studied.length > 0 || now !== undefined) rows.push({ phase: phase.name, platform, studied, now });
    }
  }
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "2009 on", className: "then" },
    { head: "mean", numeric: true, className: "then" },
    { head: "p95", numeric: true, className: "then" },
    { head: "max", numeric: true, className: "then" },
    { head: "now on" },
    { head: "mean", numeric: true },
    { head: "p95", numeric: true },
    { head: "max", numeric: true },
  ];
  const body = rows.map(({ phase, platform, studied, now }): TableRow => {
    const system =
      studied[0] === undefined
        ? "not measured"
        : `${studied[0].platform === "xen" ? "Xen" : "shared"} (fig. ${studied[0].figure})`;
    const study2009 = [span(studied, "mean"), span(studied, "p95"), span(studied, "max")];
    const measured =
      now === undefined ? ["–", "–", "–"] : [formatMsCell(now.mean), formatMsCell(now.p95), formatMsCell(now.max)];
    return { cells: [phase, html`<span class="quiet">${system}</span>`, ...study2009, platform, ...measured] };
  });
  return dataTable(
    "The study’s probe in ms. 2009: the range over its three runs; now: over all runs in valid trials, p95 the median of the runs’.",
    columns,
    body,
  );
}

function studyRows(study: Study2009, phase: string, platform: PlatformName): readonly StudyRow[] {
  const kind = studyKind(platform);
  const load = STUDY_LOADS[phase]?.load[kind];
  const system = kind === "shared" ? "native" : "xen";
  return study.annex.filter((row) => row.load === load && row.platform === system && row.requests === 50);
}

/** `71–272`: smallest to largest of the runs. */
function span(rows: readonly StudyRow[], figure: keyof AnnexFigures): string {
  const values = rows.flatMap((row) => row[figure] ?? []);
  if (values.length === 0) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? formatCount(low) : `${formatCount(low)}–${formatCount(high)}`;
}

function summaryTable(rows: readonly AnnexSummary[]): Html {
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "figure", numeric: true },
    { head: "platform" },
    { head: "target" },
    { head: "runs", numeric: true },
    ...NUMERIC,
  ];
  const caption =
    "The annex-like table, in ms: the probe, and the floods’ own figures. mean and sd of all answers, median and p95 the median over the runs; ∞: no answer.";
  return dataTable(
    caption,
    columns,
    rows.map((row) => ({
      cells: [row.load, row.figure ?? "", row.platform, row.target, row.runs, ...figures(row)],
    })),
  );
}

function runsTable(rows: readonly AnnexRow[]): Html {
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "figure", numeric: true },
    { head: "platform" },
    { head: "target" },
    ...NUMERIC,
  ];
  return dataTable(
    "One row per run, valid trials only, in ms; ∞: no answer.",
    columns,
    rows.map((row) => ({ cells: [row.load, row.figure ?? "", row.platform, row.target, ...figures(row)] })),
  );
}

function figures(row: AnnexRow): (string | number)[] {
  const cell = (name: keyof AnnexFigures): string =>
    name === "sd" && row.sd === null && row.mean !== null ? "" : formatMsCell(row[name]);
  return [
    formatCount(row.requests),
    row.concurrency === null ? "" : formatCount(row.concurrency),
    ...ANNEX_FIGURES.map(cell),
  ];
}

function studyTable(rows: readonly StudyRow[]): Html {
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "figure", numeric: true },
    { head: "platform" },
    { head: "target" },
    ...NUMERIC,
  ];
  const count = (value: number | null): string => (value === null ? "" : formatCount(value));
  return dataTable(
    "Response times of the 2009 study in ms, its annex table in the order printed there. native: one system, one Apache, two virtual hosts; xen: Xen 3.3, paravirtualized domains on Debian 5. TO: timed out.",
    columns,
    rows.map((row) => ({
      cells: [
        row.load,
        row.figure,
        row.platform,
        row.target,
        count(row.requests),
        count(row.concurrency),
        ...ANNEX_FIGURES.map((name) => (row[name] === null ? "TO" : String(row[name]))),
      ],
    })),
  );
}

function suiteTable(study: Study2009): Html {
  const systems: Readonly<Record<string, string>> = {
    vmware: "VMware Workstation 5.5",
    xen: "Xen 3.0",
    openvz: "OpenVZ",
  };
  const named = study.suite[0]?.cells.map((cell) => systems[cell.system] ?? cell.system) ?? [];
  const columns: TableColumn[] = [
    { head: "stressor" },
    ...named.flatMap((name) => [
      { head: `${name}, others`, numeric: true },
      { head: "itself", numeric: true },
    ]),
  ];
  const percent = (text: string): string => (text === "DNR" ? "DNR" : `${text} %`);
  return dataTable(
    "Degradation of a web workload in the guests beside a stressor (others) and in the stressed guest (itself). Source: Isolation Benchmark Suite, Clarkson University; Pentium 4, 1 GB, OpenVZ on Linux 2.6.18. DNR: did not return a result.",
    columns,
    study.suite.map((row) => ({
      cells: [row.stress, ...row.cells.flatMap((cell) => [percent(cell.good), percent(cell.bad)])],
    })),
  );
}

import type { Result, Trial } from "../../model/result.ts";
import { countOf, formatCount, formatMs, formatMsCell, formatShare } from "../format.ts";
import { html, type Html } from "../html.ts";
import type { RunView } from "../run-view.ts";
import { dataTable, startsGroup, type TableColumn, type TableRow } from "./parts.ts";

/** Every trial that was run, also those that don't count, and why they don't. */
export function trialsSection(result: Result, view: RunView): Html {
  const invalid = result.trials.filter((trial) => !trial.valid);
  const repeats = result.trials.filter((trial) => trial.attempt > 1).length;
  return html`<h2 id="trials">Trials</h2>
    <p>
      ${countOf(result.trials.length, "trial")}, ${formatCount(invalid.length)} of them invalid; ${formatCount(repeats)}
      repeated. An invalid trial enters no figure on this page except here; all samples are kept.
    </p>
    ${invalid.length > 0 && invalidTable(invalid)}
    <details>
      <summary>All trials, in the order in which they ran</summary>
      ${allTable(result.trials, view)}
    </details>`;
}

function invalidTable(trials: readonly Trial[]): Html {
  return dataTable(
    "Trials that do not count; a name is block-platform-load-attempt.",
    [{ head: "trial" }, { head: "why it does not count", className: "text" }],
    trials.map((trial) => ({ cells: [trial.id, reasons(trial)] })),
  );
}

function reasons(trial: Trial): Html {
  return html`${trial.reasons.map((reason, index) => html`${index > 0 && html`<br />`}${reason}`)}`;
}

function allTable(trials: readonly Trial[], view: RunView): Html {
  const columns: TableColumn[] = [
    { head: "trial" },
    { head: "started" },
    { head: "took", numeric: true },
    { head: `p95 of ${view.target}, ms`, numeric: true },
    { head: "unanswered", numeric: true },
    { head: "outliers", numeric: true },
    { head: "floor p95, ms", numeric: true },
    { head: "steal", numeric: true },
    { head: "valid", className: "text" },
  ];
  const body = trials.map((trial, index): TableRow => {
    const group = startsGroup(trials, index, (each) => String(each.block)) ? "group" : "";
    const className = trial.valid ? group : "invalid-row";
    return {
      cells: [
        trial.id,
        trial.startedAt.slice(11, 19),
        formatMs(trial.durationMs),
        ...figures(trial, view),
        trial.valid ? "yes" : html`no: ${reasons(trial)}`,
      ],
      ...(className === "" ? {} : { className }),
    };
  });
  return dataTable("A trial’s name is block-platform-load-attempt; times are UTC.", columns, body);
}

function figures(trial: Trial, view: RunView): string[] {
  const https = trial.readings.filter((reading) => reading.metric === "http");
  const probe = https.find((reading) => reading.role === "probe" && reading.target === view.target);
  const floor = https.find((reading) => reading.role === "floor");
  const asked = probe === undefined ? 0 : probe.ok + probe.failed + probe.timeouts;
  return [
    probe === undefined ? "–" : formatMsCell(probe.p95WithFailures),
    probe === undefined || asked === 0 ? "–" : formatShare((probe.failed + probe.timeouts) / asked),
    probe === undefined ? "–" : formatCount(probe.outliers),
    floor === undefined ? "–" : formatMsCell(floor.p95WithFailures),
    trial.stealShare === null ? "–" : formatShare(trial.stealShare),
  ];
}

import type { Result } from "../model/result.ts";
import type { Ecdf } from "../model/samples.ts";
import { decadesOf } from "./charts/axes.ts";
import type { Study2009 } from "./data/study-2009.ts";
import { html, trusted, type Html } from "./html.ts";
import { viewRun, type RunView } from "./run-view.ts";
import { annexSection } from "./sections/annex-tables.ts";
import { otherComparisons } from "./sections/comparisons.ts";
import { environmentSection } from "./sections/environment.ts";
import { loadsSection } from "./sections/loads.ts";
import { methodSection } from "./sections/method.ts";
import { headlines, masthead, verdictMatrix } from "./sections/opening.ts";
import { phaseSections } from "./sections/phases.ts";
import { trialsSection } from "./sections/trials.ts";
import { STYLE } from "./style.ts";

/** Paper has no way to open a folded table. The page reads fine without it. */
const OPEN_FOR_PRINT = `addEventListener("beforeprint",()=>document.querySelectorAll("details").forEach(d=>d.open=true))`;

/** Nothing may be loaded, from anywhere: the file is the whole report. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/**
 * `report.html`: one file that needs no network and no script. Validity stands before any number. `ecdfs` are those of
 * the run's samples (samples/query.ts); a phase without one says so. The same input gives the same text.
 */
export function renderHtml(result: Result, ecdfs: readonly Ecdf[], study: Study2009): string {
  const view = viewRun(result);
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="color-scheme" content="light dark" />
        <title>${result.valid ? "" : "Not valid: "}${result.name} – Cloison</title>
        <style>
          ${trusted(STYLE)}
        </style>
      </head>
      <body>
        ${masthead(result, view)}
        <main>
          ${result.functional ? null : measurements(result, view, ecdfs, study)} ${loadsSection(result, view)}
          ${trialsSection(result, view)} ${environmentSection(result)}
          ${result.functional ? null : methodSection(result, view)}
        </main>
        <footer>
          Made by Cloison ${result.environment.cloison}. Figures of 2009: the annex of a practical study of Xen 3.3 on
          Debian 5.
        </footer>
        <script>
          ${trusted(OPEN_FOR_PRINT)};
        </script>
      </body>
    </html> `;
  return document.text;
}

/** What a functional run has not. */
function measurements(result: Result, view: RunView, ecdfs: readonly Ecdf[], study: Study2009): Html {
  const decades = decadesOf(measured(view), result.thresholds);
  return html`${headlines(result, view)} ${verdictMatrix(result, view)} ${otherComparisons(result, view)}
  ${phaseSections(result, view, ecdfs, decades)} ${annexSection(result, view, study)}`;
}

/** Everything that a chart draws, so that all share their axes. */
function measured(view: RunView): number[] {
  return view.platforms.flatMap((platform) =>
    view.phases.flatMap(({ name }) => {
      const { blocks, comparison } = view.cell(platform, name);
      const ends = [comparison?.low, comparison?.high, comparison?.estimate].flatMap((end) => end ?? []);
      return [...ends, ...blocks.flatMap((block) => Object.values(block))];
    }),
  );
}

import type { Result } from "../../model/result.ts";
import type { Ecdf } from "../../model/samples.ts";
import type { Decades } from "../charts/axes.ts";
import { drawBars } from "../charts/bars.ts";
import { drawEcdf } from "../charts/ecdf.ts";
import { countOf, formatShare } from "../format.ts";
import { html, unbroken, type Html } from "../html.ts";
import type { PhaseView, RunView } from "../run-view.ts";
import { platformLegend, verdictChip } from "./parts.ts";

/** Every phase with its grouped bars and its distribution, all on the same axes. */
export function phaseSections(result: Result, view: RunView, ecdfs: readonly Ecdf[], decades: Decades): Html {
  const phases = view.phases.map((phase, index) => phaseSection({ result, view, ecdfs, decades }, phase, index));
  return html`<h2 id="phases">Load by load</h2>
    <p>
      Left, the figures of the study’s histograms: a bar per platform, a dot per block. min and max are the smallest and
      largest of all blocks, mean, median and p95 the median over the blocks. On a log axis read where a bar ends; its
      length means nothing. Right, the share of requests that were answered within so long; a curve that ends below 100
      % left the rest unanswered. All charts share their axes.
    </p>
    ${platformLegend(view)}${phases}`;
}

interface Shared {
  result: Result;
  view: RunView;
  ecdfs: readonly Ecdf[];
  decades: Decades;
}

function phaseSection({ result, view, ecdfs, decades }: Shared, phase: PhaseView, index: number): Html {
  const cells = view.platforms.map((platform) => view.cell(platform, phase.name));
  const curves = view.platforms.flatMap((platform) =>
    ecdfs.filter(
      (curve) => curve.platform === platform && curve.phase === phase.name && curve.reading === `probe:${view.target}`,
    ),
  );
  const common = { phase: phase.name, decades, thresholds: result.thresholds };
  const answers = cells.flatMap((cell) =>
    cell.comparison === null ? [] : [html`<span>${cell.platform} ${verdictChip(cell.comparison)}</span>`],
  );
  const distribution =
    curves.length === 0
      ? html`<p class="note">No samples to draw the distribution from.</p>`
      : drawEcdf({ id: `ecdf-${index}`, curves, ...common });
  const requests = curves.map(
    (curve) =>
      `${curve.platform}: ${countOf(curve.requests, "request")}, ${curve.ok === curve.requests ? "all answered" : `${formatShare(1 - curve.ok / curve.requests)} unanswered`}`,
  );
  return html`<section class="phase" aria-labelledby="phase-${index}">
    <header>
      <h3 id="phase-${index}">${phase.name}</h3>
      <span class="load">${phase.load}</span><span class="answers">${phase.isReference ? null : answers}</span>
    </header>
    <div class="pair">
      <figure>
        <h4>Response time</h4>
        ${drawBars({ id: `bars-${index}`, cells, ...common })}
      </figure>
      <figure>
        <h4>Requests answered within</h4>
        ${distribution}${requests.length > 0 && html`<figcaption>${unbroken(`${requests.join("; ")}.`)}</figcaption>`}
      </figure>
    </div>
  </section>`;
}

import type { Comparison, Result } from "../../model/result.ts";
import { drawOverview } from "../charts/overview.ts";
import { countOf, formatConfidence, formatCount, formatMs, formatRatio, formatShare, listOf } from "../format.ts";
import { html, unbroken, type Html } from "../html.ts";
import type { CellView, RunView } from "../run-view.ts";
import {
  emulationSentences,
  intervalText,
  platformHeadline,
  platformSentence,
  scaleSentences,
  validitySentence,
} from "../sentences.ts";
import { VERDICT_STYLES, type Verdict } from "../verdicts.ts";
import { platformLegend, verdictChip } from "./parts.ts";

const SECTIONS = [
  ["verdicts", "Verdicts"],
  ["phases", "Load by load"],
  ["annex", "Beside 2009"],
  ["loads", "What the loads did"],
  ["trials", "Trials"],
  ["environment", "Machine"],
  ["method", "How it was measured"],
] as const;

/** Of those, the ones that tell no measurement. */
const FUNCTIONAL_SECTIONS: readonly string[] = ["loads", "trials", "environment"];

/** Title, then validity before any number. */
export function masthead(result: Result, view: RunView): Html {
  const { tone, title, text, reasons } = validitySentence(result);
  const started = result.trials.map((trial) => trial.startedAt).toSorted()[0];
  const when = started === undefined ? "" : `${started.slice(0, 10)} ${started.slice(11, 16)} UTC · `;
  const { cpu, cpus, distribution, kernel } = result.environment;
  const sections = SECTIONS.filter(([id]) => !result.functional || FUNCTIONAL_SECTIONS.includes(id));
  return html`<header>
    <p class="kicker">Cloison · ${result.name}</p>
    <h1>
      ${result.functional ? "Does everything work?" : `How much does ${view.target || "a domain"} feel its neighbours?`}
    </h1>
    <p class="meta">
      ${when}${listOf(view.platforms.map(view.nameOf))} · ${countOf(cpus, "CPU")}, ${cpu} · ${distribution}, Linux
      ${kernel} · seed ${result.seed}
    </p>
    <section class="validity ${tone}" aria-labelledby="validity">
      <h2 id="validity">${title}</h2>
      <p>${text}</p>
      ${
        reasons.length > 0 &&
        html`<ul>
          ${reasons.map((reason) => html`<li>${reason}</li>`)}
        </ul>`
      }
    </section>
    <nav aria-label="Sections">${sections.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav>
  </header>`;
}

/** A sentence per platform, and the run at a glance. */
export function headlines(result: Result, view: RunView): Html {
  const cards = view.platforms.map(
    (platform) =>
      html`<div class="headline" style="--mark: var(--chart-${platform})">
        <h3>${unbroken(platformHeadline(view, platform))}</h3>
        <p>${unbroken(platformSentence(view, platform))}</p>
      </div>`,
  );
  const overview = (id: string, width: number): Html =>
    drawOverview({ id, view, thresholds: result.thresholds, width });
  const interval = result.indicative
    ? "Without intervals: there are fewer than 5 blocks."
    : "Lines are intervals over blocks.";
  const notes = [
    ...emulationSentences(view),
    ...(result.calibration === null ? [] : scaleSentences(result.calibration)),
  ];
  return html`<section class="headlines" aria-label="In short">${cards}</section>
    ${notes.map((note) => html`<p class="note">${note}</p>`)}
    <figure>
      <div>${platformLegend(view)}</div>
      <div class="wide">${overview("overview", 960)}</div>
      <div class="narrow">${overview("overview-narrow", 420)}</div>
      <figcaption>
        95th percentile of ${view.target}’s response time under each load (${view.metric}, log axis). Requests without
        an answer count as infinitely slow. ${interval}
      </figcaption>
    </figure>`;
}

/** Platform by phase: the verdict, the p95 with its interval, the ratio to the reference. */
export function verdictMatrix(result: Result, view: RunView): Html {
  const heads = view.platforms.map((platform) => html`<th scope="col">${view.nameOf(platform)}</th>`);
  const rows = view.phases.map(
    (phase) =>
      html`<tr>
        <th scope="row">${phase.name}<span class="load">${phase.load}</span></th>
        ${view.platforms.map((platform) => matrixCell(view.cell(platform, phase.name)))}
      </tr>`,
  );
  const present = new Set(result.comparisons.map((row) => row.verdict));
  const meanings = (Object.keys(VERDICT_STYLES) as Verdict[]).filter((verdict) => present.has(verdict));
  return html`<h2 id="verdicts">Verdicts</h2>
    <p>
      What ${view.target} felt, by load and platform: the 95th percentile of its response time, with an interval over
      the blocks, and how many times the reference that is.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Verdicts">
      <table class="matrix">
        <caption>
          <span
            >Thresholds: over ${formatCount(result.thresholds.abnormalMs)} ms is abnormally slow, over
            ${formatCount(result.thresholds.unacceptableMs)} ms unacceptable. ${unbroken(confidenceNote(view))}</span
          >
        </caption>
        <thead>
          <tr>
            <th scope="col">Load</th>
            ${heads}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    <dl class="meanings">
      ${meanings.map(
        (verdict) =>
          html`<dt>${verdictChip({ verdict, indicative: false })}</dt>
            <dd>${VERDICT_STYLES[verdict].meaning(result.thresholds)}</dd>`,
      )}
    </dl>`;
}

function matrixCell(cell: CellView): Html {
  const row = cell.comparison;
  if (row === null) {
    const valid = `${cell.validTrials} of ${countOf(cell.trials, "trial")} valid`;
    return html`<td><span class="quiet">not compared: ${valid}</span></td>`;
  }
  const interval = intervalText(row);
  const lines = [
    interval ?? "no interval",
    ...(row.verdict === "reference" ? [] : [`${formatRatio(row.ratio.estimate)} the reference${ratioInterval(row)}`]),
    ...(row.unanswered > 0 ? [`${formatShare(row.unanswered)} unanswered`] : []),
  ];
  const doubts = lines.map((line) => html`<span class="doubt">${unbroken(line)}</span>`);
  return html`<td>
    <span class="answer"><span class="p95">${unbroken(formatMs(row.estimate))}</span>${verdictChip(row)}</span>${doubts}
  </td>`;
}

function ratioInterval({ ratio, confidence }: Comparison): string {
  return confidence === null ? "" : ` (${formatRatio(ratio.low)} to ${formatRatio(ratio.high)})`;
}

/** `Intervals over 5 blocks, at 93.75 % confidence.` The steps that few blocks offer are what they are. */
function confidenceNote(view: RunView): string {
  const rows = view.platforms.flatMap((platform) =>
    view.phases.flatMap(({ name }) => view.cell(platform, name).comparison ?? []),
  );
  const levels = new Set(
    rows.flatMap(({ n, confidence }) =>
      confidence === null ? [] : [`over ${n} blocks, at ${formatConfidence(confidence)} confidence`],
    ),
  );
  if (levels.size === 0) return "With fewer than 5 blocks there are no intervals, and verdicts are indicative.";
  return `Below each figure its interval and, with its own, the ratio to the reference, ${listOf([...levels])}.`;
}

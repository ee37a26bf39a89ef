import type { PlatformName } from "../../model/lab.ts";
import type { Comparison } from "../../model/result.ts";
import { PLATFORM_MARKS } from "../charts/palette.ts";
import { html, trusted, type Html } from "../html.ts";
import type { RunView } from "../run-view.ts";
import { VERDICT_STYLES } from "../verdicts.ts";

/** A verdict as colour, mark and word. */
export function verdictChip(
  row: Pick<Comparison, "verdict" | "indicative">,
  word = VERDICT_STYLES[row.verdict].word,
): Html {
  const { mark } = VERDICT_STYLES[row.verdict];
  const doubt = row.indicative && row.verdict !== "reference" ? html` <span>(indicative)</span>` : null;
  return html`<span class="verdict ${row.verdict}"><i aria-hidden="true">${mark}</i>${word}${doubt}</span>`;
}

export function platformLegend({ platforms, nameOf }: Pick<RunView, "platforms" | "nameOf">): Html {
  const items = platforms.map((platform) => html`<li>${platformSwatch(platform)}${nameOf(platform)}</li>`);
  return html`<ul class="legend" aria-label="Platforms">
    ${items}
  </ul>`;
}

/** The platform's mark on its line, as charts draw them. */
function platformSwatch(platform: PlatformName): Html {
  const { symbol, line } = PLATFORM_MARKS[platform];
  const shapes = {
    circle: '<circle cx="16" cy="7" r="5"/>',
    rect: '<rect x="11.5" y="2.5" width="9" height="9"/>',
    triangle: '<path d="M16 1.5 21.5 11.5H10.5Z"/>',
    diamond: '<path d="M16 1 22 7 16 13 10 7Z"/>',
    arrow: '<path d="M16 1.5 21.5 12.5 16 9.5 10.5 12.5Z"/>',
  };
  const dash = { solid: "", dashed: ' stroke-dasharray="7 3"', dotted: ' stroke-dasharray="2 3"' }[line];
  const colour = `var(--chart-${platform})`;
  return trusted(
    `<svg width="32" height="14" viewBox="0 0 32 14" aria-hidden="true" fill="${colour}"><path d="M0 7H32" stroke="${colour}" stroke-width="2.25"${dash}/>${shapes[symbol]}</svg>`,
  );
}

export interface TableColumn {
  head: string | Html;
  /** Right-aligned digits. */
  numeric?: boolean;
  /** Extra class of its cells. */
  className?: string;
}

type Cell = string | number | Html | null;

export interface TableRow {
  cells: readonly Cell[];
  className?: string;
}

/**
 * A table with its caption, in a frame that scrolls by itself on a narrow screen. The first cell of a row is its head;
 * a head that repeats the one above is for screen readers only, and rows that share one stand together.
 */
export function dataTable(caption: string, columns: readonly TableColumn[], rows: readonly TableRow[]): Html {
  const classes = columns.map((column) => `${column.numeric === true ? "n" : ""} ${column.className ?? ""}`.trim());
  const heads = columns.map(
    (column, index) => html`<th scope="col" ${classAttribute(classes[index])}>${column.head}</th>`,
  );
  const body = rows.map((row, index) => {
    const [first, ...rest] = row.cells;
    const repeats = index > 0 && rows[index - 1]?.cells[0] === first;
    const head = repeats ? html`<span class="unseen">${first}</span>` : first;
    const cells = rest.map((cell, place) => html`<td${classAttribute(classes[place + 1])}>${cell}</td>`);
    const className = `${row.className ?? ""} ${repeats ? "repeat" : ""}`.trim();
    return html`<tr${classAttribute(className)}><th scope="row"${classAttribute(classes[0])}>${head}</th>${cells}</tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}

function classAttribute(name: string | undefined): Html | null {
  return name === undefined || name === "" ? null : html` class="${name}"`;
}

/** Rows that begin another group get a line above them. */
export function startsGroup<T>(rows: readonly T[], index: number, key: (row: T) => string): boolean {
  const row = rows[index];
  const above = rows[index - 1];
  return row !== undefined && above !== undefined && key(row) !== key(above);
}

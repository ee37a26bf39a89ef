import { countOf } from "./format.ts";
import { outcomeOf, questionText, stateOf, type NetRow } from "./net-row.ts";
import type { Painter } from "./painter.ts";

/** With more columns than this, or too narrow a terminal, columns are numbered and one letter wide. */
const NAMED_COLUMNS = 12;
const GAP = 2;
/** Below this the legend has a line for each mark. */
const LEGEND_WIDTH = 130;

/**
 * Who reaches whom: a row for who asks, a column for who is asked. Without observations, what is predicted. Below it
 * every question in which both differ, and every one of which nothing is predicted.
 */
export function matrixText(rows: readonly NetRow[], paint: Painter, width: number): string {
  const isObserved = rows.some(({ observation }) => observation !== undefined);
  const tables = kindsOf(rows).map(({ title, of }) => tableText(title, of, paint, width));
  const differing = rows.filter((row) => stateOf(row) === "differs");
  const open = rows.filter((row) => stateOf(row) === "open");
  return [
    ...tables,
    legend(paint, isObserved, width),
    differing.map((row) => differenceText(row, paint)).join("\n"),
    open.map((row) => paint.doubtful(`? ${questionText(row.question)}: ${row.answer.unknown ?? "unknown"}`)).join("\n"),
    summary(rows, differing.length, open.length, isObserved, paint),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** A table for ARP, one for ping, one for all services together: a row of an endpoint has too many for a table each. */
function kindsOf(rows: readonly NetRow[]): { title: string; of: NetRow[] }[] {
  const titles = { arp: "ARP and neighbour discovery", icmp: "ping", tcp: "services", udp: "services" };
  const groups = new Map<string, NetRow[]>();
  for (const row of rows) {
    const title = titles[row.question.how.kind];
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  return [...groups].map(([title, of]) => ({ title, of }));
}

function tableText(title: string, rows: readonly NetRow[], paint: Painter, width: number): string {
  const askers = [...new Set(rows.map(({ question }) => question.from))];
  const targets = new Set(rows.map(({ question }) => question.to));
  // The same order as the rows', so that who is asked by whom lies mirrored.
  const asked = [
    ...askers.filter((name) => targets.has(name)),
    ...[...targets].filter((name) => !askers.includes(name)),
  ];
  const cells = new Map<string, NetRow[]>();
  for (const row of rows) {
    const key = `${row.question.from}>${row.question.to}`;
    cells.set(key, [...(cells.get(key) ?? []), row]);
  }
  const first = Math.max(...askers.map((name) => name.length), title.length);
  const named = asked.reduce((sum, name) => sum + Math.max(name.length, 1) + GAP, first);
  const isNamed = asked.length <= NAMED_COLUMNS && named <= width;
  const heads = asked.map((name, i) => (isNamed ? name : `${i + 1}`));
  const widest = Math.max(...heads.map((head) => head.length));
  const widths = heads.map((head) => (isNamed ? head.length : widest));
  const perLine = isNamed ? asked.length : Math.max(1, Math.floor((width - first) / (widest + GAP)));
  const gap = " ".repeat(GAP);
  const blocks: string[] = [];
  for (let start = 0; start < asked.length; start += perLine) {
    const shown = asked.slice(start, start + perLine);
    const place = (i: number): number => widths[start + i] ?? 1;
    const head = shown.map((_, i) => (heads[start + i] ?? "").padStart(place(i))).join(gap);
    const lines = askers.map((from) => {
      const marks = shown.map((to, i) => " ".repeat(place(i) - 1) + mark(cells.get(`${from}>${to}`) ?? [], paint));
      return `${from.padEnd(first)}${gap}${marks.join(gap)}`.trimEnd();
    });
    blocks.push([`${paint.strong(title.padEnd(first))}${gap}${head}`, ...lines].join("\n"));
  }
  const names = isNamed
    ? []
    : [
        wrapList(
          asked.map((name, i) => `${i + 1} ${name}`),
          width,
        ),
      ];
  return [...blocks, ...names].join("\n\n");
}

/** One letter for all questions between two: the worst state, and whether all, some or none get through. */
function mark(rows: readonly NetRow[], paint: Painter): string {
  if (rows.length === 0) return " ";
  const states = rows.map(stateOf);
  if (states.includes("differs")) return paint.bad("✗");
  if (states.includes("open")) return paint.doubtful("?");
  const reached = rows.filter((row) => outcomeOf(row) === "reachable").length;
  return reached === rows.length ? paint.good("✓") : reached === 0 ? paint.faint("·") : paint.good("◐");
}

function legend(paint: Painter, isObserved: boolean, width: number): string {
  const how = isObserved ? " as predicted" : "";
  return [
    `${paint.good("✓")} reachable${how}`,
    `${paint.faint("·")} blocked${how}`,
    `${paint.good("◐")} some addresses or ports${how}`,
    ...(isObserved ? [`${paint.bad("✗")} not as predicted`] : []),
    `${paint.doubtful("?")} not predictable`,
  ].join(width < LEGEND_WIDTH ? "\n" : "   ");
}

function differenceText(row: NetRow, paint: Painter): string {
  const { stop } = row.answer;
  const lines = (row.mismatches ?? []).map(
    ({ field, predicted, observed }) =>
      `    ${FIELDS[field]}: predicted ${predicted ?? "none"}, observed ${observed ?? "none"}`,
  );
  const cause = stop === null ? [] : [`    predicted to stop at ${stop.object} in ${stop.namespace}: ${stop.reason}`];
  const seen = row.observation?.seenIn.filter(({ reply }) => !reply).at(-1);
  const last = seen === undefined ? [] : [`    last seen ${seen.direction} ${seen.interface} in ${seen.namespace}`];
  return [paint.bad(`✗ ${questionText(row.question)}`), ...lines, ...cause, ...last].join("\n");
}

const FIELDS = {
  unknown: "answer",
  outcome: "answer",
  seenSource: "source address that the receiver sees",
  ttl: "TTL on arrival",
  mac: "MAC that answers",
  answeredBy: "who answers",
} as const;

function summary(
  rows: readonly NetRow[],
  differing: number,
  open: number,
  isObserved: boolean,
  paint: Painter,
): string {
  const reached = rows.filter((row) => outcomeOf(row) === "reachable").length;
  const facts = `${countOf(rows.length, "question")}: ${reached} reachable, ${rows.length - reached - (isObserved ? 0 : open)} blocked`;
  const unknown = open === 0 ? "" : `, ${open} not predictable`;
  if (!isObserved) return `${facts}${unknown}`;
  const verdict = differing === 0 ? paint.good("all as predicted") : paint.bad(`${differing} not as predicted`);
  return `${facts}${unknown}; ${open > 0 && differing === 0 ? paint.good("the rest as predicted") : verdict}`;
}

/** Items in lines that fit. */
function wrapList(items: readonly string[], width: number): string {
  const lines: string[] = [];
  for (const item of items) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 3 + item.length <= width) lines[lines.length - 1] = `${last} · ${item}`;
    else lines.push(item);
  }
  return lines.join("\n");
}

import type { Result, Trial } from "../../model/result.ts";
import { formatCount, formatMs, formatMsCell, formatRate, formatShare, formatSize, listOf } from "../format.ts";
import { html, type Html } from "../html.ts";
import { medianOf, type FloodReading, type RunView, type StressReading } from "../run-view.ts";
import { scaleSentences } from "../sentences.ts";
import { dataTable, type TableColumn, type TableRow } from "./parts.ts";

/** What really loaded the platforms: floods, stressors, and how far the limits held them back. Valid trials only. */
export function loadsSection(result: Result, view: RunView): Html {
  const groups = view.phases.flatMap((phase) =>
    view.platforms.map((platform) => ({
      phase: phase.name,
      platform,
      trials: result.trials.filter((trial) => trial.valid && trial.phase === phase.name && trial.platform === platform),
    })),
  );
  return html`<h2 id="loads">What the loads did</h2>
    <p>
      A load that did nothing would prove nothing: a trial whose flood or stressor did not do its work is invalid.
      Figures are medians over the valid blocks, unless they say otherwise.
    </p>
    ${capacityTable(result, view)}${floodTable(groups)}${stressTable(groups)}${throttleTable(groups)}`;
}

/** What the scale of the loads rests on. */
function capacityTable({ calibration }: Result, view: RunView): Html | null {
  if (calibration === null) return null;
  const columns: TableColumn[] = [
    { head: "platform" },
    { head: "page" },
    { head: "one request alone, ms", numeric: true },
    { head: "answered a second", numeric: true },
  ];
  const rows = calibration.pages.map(({ platform, target, path, aloneMs, perSecond }): TableRow => ({
    cells: [view.nameOf(platform), `${target}${path}`, formatMsCell(aloneMs), formatRate(perSecond)],
  }));
  const [told = "Loads were sent as planned."] = scaleSentences(calibration);
  const caption =
    "What each platform could do before the first trial, with nothing else running: the median of requests that followed each other one at a time, and answers on 5 connections at a time.";
  return html`<p>${told}</p>
    ${dataTable(caption, columns, rows)}`;
}

interface Group {
  phase: string;
  platform: string;
  trials: readonly Trial[];
}

function floodTable(groups: readonly Group[]): Html | null {
  const rows = groups.flatMap(({ phase, platform, trials }) => {
    const floods = trials.flatMap((trial) => trial.readings.filter((reading) => reading.metric === "flood"));
    return [...grouped(floods, (flood) => flood.target)].map(([target, of]) => ({ phase, platform, target, of }));
  });
  if (rows.length === 0) return null;
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "platform" },
    { head: "flooded" },
    { head: "connections", numeric: true },
    { head: "requests a second", numeric: true },
    { head: "its own p95, ms", numeric: true },
    { head: "unanswered", numeric: true },
    { head: "client’s CPU share", numeric: true },
    { head: "engine" },
  ];
  const body = rows.map((row): TableRow => ({
    cells: [row.phase, row.platform, `${row.target}${row.of[0]?.path ?? ""}`, ...floodFigures(row.of)],
  }));
  return dataTable("Floods. The flooded neighbour suffers too: its own response time stands here.", columns, body);
}

function floodFigures(floods: readonly FloodReading[]): string[] {
  const median = (of: (flood: FloodReading) => number): number => medianOf(floods.map(of)) ?? 0;
  const lost = floods.reduce((sum, flood) => sum + flood.failed + flood.timeouts, 0);
  const all = floods.reduce((sum, flood) => sum + flood.ok + flood.failed + flood.timeouts, 0);
  const concurrency = floods[0]?.concurrency ?? null;
  return [
    concurrency === null ? "" : formatCount(concurrency),
    formatCount(median((flood) => flood.perSecond)),
    formatMsCell(median((flood) => flood.p95WithFailures ?? Infinity)),
    formatShare(all === 0 ? 0 : lost / all),
    formatShare(median((flood) => flood.clientCpuShare)),
    listOf([...new Set(floods.map((flood) => flood.engine))]),
  ];
}

function stressTable(groups: readonly Group[]): Html | null {
  const rows = groups.flatMap(({ phase, platform, trials }) => {
    const readings = trials.flatMap((trial) => trial.readings.filter((reading) => reading.metric === "stress"));
    const each = grouped(readings, (reading) => `${reading.stressor} ${reading.on}`);
    return [...each.values()].map((of) => ({ phase, platform, of }));
  });
  if (rows.length === 0) return null;
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "platform" },
    { head: "in" },
    { head: "stressor" },
    { head: "instances", numeric: true },
    { head: "work", numeric: true },
    { head: "least of a block", numeric: true },
    { head: "OOM kills", numeric: true },
    { head: "tool" },
  ];
  const body = rows.map((row): TableRow => ({ cells: [row.phase, row.platform, ...stressFigures(row.of)] }));
  return dataTable("Stressors, and what they really did in one trial.", columns, body);
}

function stressFigures(readings: readonly StressReading[]): string[] {
  const [first] = readings;
  if (first === undefined) return [];
  const work = readings.map((reading) => reading.work);
  const [unit = "", ...done] = first.unit.split(" ");
  const amount = (value: number): string =>
    [...(unit === "bytes" ? [formatSize(value)] : [formatCount(value), unit]), ...done].join(" ");
  const kills = readings.reduce((sum, reading) => sum + (reading.oomKills ?? 0), 0);
  return [
    first.on,
    first.stressor,
    String(first.instances),
    amount(medianOf(work) ?? 0),
    amount(Math.min(...work)),
    formatCount(kills),
    first.tool,
  ];
}

function throttleTable(groups: readonly Group[]): Html | null {
  const rows = groups.flatMap(({ phase, platform, trials }) => {
    const usages = trials.flatMap((trial) =>
      Object.entries(trial.usage).map(([context, usage]) => ({ context, usage })),
    );
    return [...grouped(usages, ({ context }) => context)].map(([context, of]) => ({
      phase,
      platform,
      context,
      of: of.map(({ usage }) => usage),
    }));
  });
  if (rows.length === 0) return null;
  const columns: TableColumn[] = [
    { head: "load" },
    { head: "platform" },
    { head: "context" },
    { head: "CPU time", numeric: true },
    { head: "throttled periods", numeric: true },
    { head: "throttled time", numeric: true },
    { head: "memory peak", numeric: true },
    { head: "most processes", numeric: true },
  ];
  const body = rows.map((row): TableRow => ({
    cells: [row.phase, row.platform, row.context, ...usageFigures(row.of)],
  }));
  const table = dataTable(
    "Per trial: CPU time, and how often and how long the CPU quota held a context back (nr_throttled of nr_periods, throttled time summed over its CPUs). The peaks are since its domain was made: the trials before are in them.",
    columns,
    body,
  );
  return html`<details>
    <summary>Throttling and use, per context (${formatCount(rows.length)} rows)</summary>
    ${table}
  </details>`;
}

type Usage = Trial["usage"][string];

function usageFigures(usages: readonly Usage[]): string[] {
  const show = (of: (usage: Usage) => number | null, format: (value: number) => string): string => {
    const median = medianOf(usages.flatMap((usage) => of(usage) ?? []));
    return median === null ? "–" : format(median);
  };
  const fromNs = (ns: number): string => formatMs(ns / 1e6);
  const throttled = show((usage) => usage.nrThrottled, formatCount);
  const periods = show((usage) => usage.nrPeriods, formatCount);
  return [
    show((usage) => usage.cpuNs, fromNs),
    `${throttled} of ${periods}`,
    show((usage) => usage.throttledNs, fromNs),
    show((usage) => usage.memoryPeakBytes, formatSize),
    show((usage) => usage.pidsPeak, formatCount),
  ];
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

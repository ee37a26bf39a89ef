import type { CustomSeriesRenderItem } from "echarts";
import type { PlatformName } from "../../model/lab.ts";
import { formatMs } from "../format.ts";
import type { Html } from "../html.ts";
import type { CellView, RunView } from "../run-view.ts";
import { VERDICT_STYLES } from "../verdicts.ts";
import { categoryAxis, decadesOf, msAxis, thresholdSeries, type Decades, type Thresholds } from "./axes.ts";
import { CHART_FONT, draw } from "./draw.ts";
import { COLOUR, PLATFORM_MARKS, type PlatformMark } from "./palette.ts";

type CustomElement = { type: "circle" | "rect" | "polygon"; shape: object; style: object };

interface OverviewInput {
  id: string;
  view: RunView;
  thresholds: Thresholds;
  width: number;
}

/** The 95th percentile of every phase and platform with its interval, on one log axis: the whole run at a glance. */
export function drawOverview({ id, view, thresholds, width }: OverviewInput): Html {
  const rowHeight = 18 + view.platforms.length * 15;
  const cells = view.platforms.map((platform) => view.phases.map((phase) => view.cell(platform, phase.name)));
  const rows = cells.flat().flatMap((cell) => cell.comparison ?? []);
  const ends = rows.flatMap(({ estimate, low, high }) => [estimate, low, high].flatMap((end) => end ?? []));
  const decades = decadesOf(ends, thresholds);
  const names = view.phases.map((phase) => phase.name);
  return draw({
    id,
    width,
    height: view.phases.length * rowHeight + 62,
    title: `95th percentile of ${view.target}’s response time, by load and platform`,
    description: cells.flat().map(describe).join(" "),
    option: {
      grid: { left: 92, right: 26, top: 24, bottom: 34 },
      yAxis: {
        ...categoryAxis(names, 12),
        inverse: true,
        splitLine: { show: true, lineStyle: { color: COLOUR.rule } },
      },
      xAxis: { ...msAxis(decades, 11.5), position: "bottom" },
      series: [
        thresholdSeries("xAxis", thresholds, "start"),
        ...cells.map((row, index) => ({
          type: "custom",
          z: 8,
          data: row.map((cell, place) => [markPlace(cell, decades), place]),
          renderItem: renderMark(row, index, view.platforms, decades),
          clip: false,
          silent: true,
        })),
      ],
    },
  });
}

function markPlace(cell: CellView, decades: Decades): number {
  return cell.comparison === null ? decades.min : (cell.comparison.estimate ?? decades.max);
}

function describe(cell: CellView): string {
  const row = cell.comparison;
  if (row === null) return `${cell.phase} on ${cell.platform}: not compared.`;
  return `${cell.phase} on ${cell.platform}: ${formatMs(row.estimate)}, ${VERDICT_STYLES[row.verdict].word}.`;
}

function renderMark(
  row: readonly CellView[],
  index: number,
  platforms: readonly PlatformName[],
  decades: Decades,
): CustomSeriesRenderItem {
  return (_params, api) => {
    const place = Number(api.value(1));
    const comparison = row[place]?.comparison;
    const platform = platforms[index];
    if (comparison === null || comparison === undefined || platform === undefined) return null;
    const { colour, symbol } = PLATFORM_MARKS[platform];
    const offset = (index - (platforms.length - 1) / 2) * 15;
    const point = (ms: number | null): { x: number; y: number } => {
      const [x = 0, y = 0] = api.coord([Math.max(ms ?? decades.max, decades.min), place]);
      return { x, y: y + offset };
    };
    const { x, y } = point(comparison.estimate);
    const interval = comparison.confidence !== null;
    const low = point(interval ? comparison.low : comparison.estimate);
    const high = point(interval ? comparison.high : comparison.estimate);
    const line = { stroke: colour, lineWidth: 2 };
    const whisker = { type: "line" as const, shape: { x1: low.x, y1: y, x2: high.x, y2: y }, style: line };
    const labelLeft = x > point(decades.max).x - 90;
    return {
      type: "group",
      children: [
        ...(interval ? [whisker] : []),
        shapeOf(
          symbol,
          x,
          y,
          comparison.estimate === null ? { fill: COLOUR.paper, stroke: colour, lineWidth: 2 } : { fill: colour },
        ),
        {
          type: "text",
          x: labelLeft ? Math.min(low.x, x) - 9 : Math.max(high.x, x) + 9,
          y,
          style: {
            text: comparison.estimate === null ? "∞ no answer" : formatMs(comparison.estimate),
            fill: COLOUR.ink,
            font: `11px ${CHART_FONT}`,
            align: labelLeft ? "right" : "left",
            verticalAlign: "middle",
            backgroundColor: COLOUR.paper,
            padding: [1, 2],
          },
        },
      ],
    };
  };
}

function shapeOf(symbol: PlatformMark["symbol"], x: number, y: number, style: object): CustomElement {
  if (symbol === "circle") return { type: "circle", shape: { cx: x, cy: y, r: 5 }, style };
  if (symbol === "rect") return { type: "rect", shape: { x: x - 4.5, y: y - 4.5, width: 9, height: 9 }, style };
  const points =
    symbol === "diamond"
      ? [
          [x, y - 6],
          [x + 6, y],
          [x, y + 6],
          [x - 6, y],
        ]
      : [
          [x, y - 5.5],
          [x + 5.5, y + 4.5],
          [x - 5.5, y + 4.5],
        ];
  return { type: "polygon", shape: { points }, style };
}

import type { CustomSeriesRenderItem, CustomSeriesRenderItemAPI } from "echarts";
import { formatMs } from "../format.ts";
import type { Html } from "../html.ts";
import { medianOf, type CellView } from "../run-view.ts";
import { categoryAxis, msAxis, thresholdSeries, type Decades, type Thresholds } from "./axes.ts";
import { CHART_FONT, draw } from "./draw.ts";
import { COLOUR, PLATFORM_MARKS } from "./palette.ts";

const BAR_FIGURES = ["min", "mean", "median", "p95", "max"] as const;
type BarFigure = (typeof BAR_FIGURES)[number];

interface BarsInput {
  id: string;
  phase: string;
  cells: readonly CellView[];
  decades: Decades;
  thresholds: Thresholds;
}

/** What a bar stands for: smallest min, largest max, else the median over the blocks; p95 as the verdict has it. */
export function barValue(cell: CellView, figure: BarFigure): number | null {
  const values = cell.blocks.map((block) => block[figure]);
  if (values.length === 0) return null;
  if (figure === "min") return Math.min(...values);
  if (figure === "max") return Math.max(...values);
  if (figure === "p95" && cell.comparison !== null) return cell.comparison.estimate ?? Infinity;
  return medianOf(values);
}

/** Grouped bars of one phase, as the study's figures 19 to 26: five figures, a bar per platform, a dot per block. */
export function drawBars({ id, phase, cells, decades, thresholds }: BarsInput): Html {
  const series = cells.flatMap((cell, index) => {
    const slot = { cell, index, count: cells.length, decades };
    const base = { type: "custom", data: barData(cell, decades), clip: false, silent: true };
    // Labels above the threshold lines (z 5), bars below them.
    return [
      { ...base, z: 2, renderItem: renderBar(slot) },
      { ...base, z: 8, renderItem: renderReadings(slot) },
    ];
  });
  return draw({
    id,
    width: 460,
    height: 290,
    title: `Response times under ${phase}`,
    description: cells.map((cell) => describe(cell)).join(" "),
    option: {
      grid: { left: 52, right: 76, top: 20, bottom: 28 },
      xAxis: categoryAxis(BAR_FIGURES),
      yAxis: msAxis(decades),
      series: [thresholdSeries("yAxis", thresholds, "end"), ...series],
    },
  });
}

function describe(cell: CellView): string {
  const figures = BAR_FIGURES.map((figure) => {
    const value = barValue(cell, figure);
    return `${figure} ${value === null ? "not measured" : formatMs(value)}`;
  });
  return `${cell.platform}: ${figures.join(", ")}.`;
}

/** Place of the figure, where the bar ends, and whether that is a number. */
function barData(cell: CellView, decades: Decades): number[][] {
  return BAR_FIGURES.flatMap((figure, place) => {
    const value = barValue(cell, figure);
    if (value === null) return [];
    return [Number.isFinite(value) ? [place, value, 1] : [place, decades.max, 0]];
  });
}

interface Slot {
  cell: CellView;
  index: number;
  count: number;
  decades: Decades;
}

/** Where a bar stands, in pixels. */
function placeBar(
  api: CustomSeriesRenderItemAPI,
  { index, count, decades }: Slot,
): { x: number; top: number; width: number; base: number } {
  const size = api.size?.([1, 0]);
  const band = (Array.isArray(size) ? (size[0] ?? 0) : 0) * 0.84;
  const width = band / count;
  const [centre = 0, top = 0] = api.coord([Number(api.value(0)), Number(api.value(1))]);
  const [, base = 0] = api.coord([Number(api.value(0)), decades.min]);
  return { x: centre - band / 2 + index * width, top, width, base };
}

function renderBar(slot: Slot): CustomSeriesRenderItem {
  const { colour } = PLATFORM_MARKS[slot.cell.platform];
  return (_params, api) => {
    const { x, top, width, base } = placeBar(api, slot);
    const answered = Number(api.value(2)) === 1;
    // No answer: to the top of the chart, outlined, because it has no length.
    const style = answered ? { fill: colour } : { fill: "none", stroke: colour, lineWidth: 1.5, lineDash: [4, 3] };
    return { type: "rect", shape: { x: x + 1, y: top, width: width - 2, height: base - top }, style };
  };
}

function renderReadings(slot: Slot): CustomSeriesRenderItem {
  const { blocks } = slot.cell;
  return (_params, api) => {
    const { x, top, width } = placeBar(api, slot);
    const place = Number(api.value(0));
    const figure = BAR_FIGURES[place] ?? "min";
    const dots = blocks.flatMap((block, number) => {
      if (!Number.isFinite(block[figure])) return [];
      const [, cy = 0] = api.coord([place, block[figure]]);
      const cx = x + width / 2 + ((number + 0.5) / blocks.length - 0.5) * (width - 9);
      return [{ type: "circle" as const, shape: { cx, cy, r: 1.9 }, style: DOT_STYLE }];
    });
    const highest = Math.min(top, ...dots.map((dot) => dot.shape.cy - 2));
    const text = Number(api.value(2)) === 1 ? compact(Number(api.value(1))) : "∞";
    const label = { type: "text" as const, x: x + width / 2, y: highest - 2, style: { ...LABEL_STYLE, text } };
    return { type: "group", children: [label, ...dots] };
  };
}

const DOT_STYLE = { fill: COLOUR.paper, stroke: COLOUR.ink, lineWidth: 0.9 };
const LABEL_STYLE = {
  fill: COLOUR.ink,
  font: `10px ${CHART_FONT}`,
  align: "center",
  verticalAlign: "bottom",
  backgroundColor: COLOUR.paper,
  padding: 1,
} as const;

/** As short as a label over a bar must be: `0.84`, `3.9`, `184`, `2.2s`. */
function compact(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1000).toFixed(ms < 99_500 ? 1 : 0)}s`;
  return ms.toFixed(ms < 0.995 ? 2 : ms < 9.95 ? 1 : 0);
}

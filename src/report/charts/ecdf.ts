import type { Ecdf } from "../../model/samples.ts";
import { formatCount, formatMs, formatShare } from "../format.ts";
import type { Html } from "../html.ts";
import { msAxis, thresholdSeries, type Decades, type Thresholds } from "./axes.ts";
import { CHART_FONT, draw } from "./draw.ts";
import { COLOUR, PLATFORM_MARKS } from "./palette.ts";

interface EcdfInput {
  id: string;
  phase: string;
  curves: readonly Ecdf[];
  decades: Decades;
  thresholds: Thresholds;
}

/** Share of the requests that were answered within so many ms, a curve per platform; ends below 100 % where some were not. */
export function drawEcdf({ id, phase, curves, decades, thresholds }: EcdfInput): Html {
  const p95Line = {
    yAxis: 95,
    lineStyle: { color: COLOUR.muted, width: 1, type: [1, 3] },
    label: { ...labelStyle(COLOUR.muted), formatter: "95 %", position: "insideStartBottom", distance: 3 },
  };
  const guides = [
    thresholdSeries("xAxis", thresholds, "none"),
    { type: "line", data: [], markLine: { silent: true, symbol: "none", data: [p95Line] } },
  ];
  return draw({
    id,
    width: 460,
    height: 290,
    title: `Distribution of response times under ${phase}`,
    description: curves.map(describe).join(" "),
    option: {
      grid: { left: 52, right: 14, top: 22, bottom: 28 },
      xAxis: { ...msAxis(decades), axisLine: { show: true, lineStyle: { color: COLOUR.muted }, onZero: false } },
      yAxis: {
        type: "value",
        min: 0,
        max: 100,
        interval: 25,
        axisLabel: { color: COLOUR.muted, fontFamily: CHART_FONT, fontSize: 11, formatter: "{value} %" },
        splitLine: { lineStyle: { color: COLOUR.rule } },
      },
      series: [...guides, ...curves.flatMap((curve) => lines(curve, decades))],
    },
  });
}

function lines(curve: Ecdf, decades: Decades): object[] {
  const { colour, line } = PLATFORM_MARKS[curve.platform];
  const type = line === "solid" ? "solid" : [7, 3];
  const last = curve.points.at(-1) ?? { ms: decades.min, share: 0 };
  const shown = curve.points.map(({ ms, share }) => [Math.max(ms, decades.min), share * 100]);
  const beyond = [
    [last.ms, last.share * 100],
    [decades.max, last.share * 100],
  ];
  const base = { type: "line", symbol: "none", silent: true };
  const drawn = { ...base, data: shown, step: "end", lineStyle: { color: colour, width: 2.25, type } };
  if (curve.ok === curve.requests) return [drawn];
  const end = { silent: true, symbol: "circle", symbolSize: 6, itemStyle: { color: colour }, label: { show: false } };
  return [
    drawn,
    {
      ...base,
      data: beyond,
      lineStyle: { color: colour, width: 1.5, type: [1, 3] },
      markPoint: { ...end, data: [{ coord: [decades.max, last.share * 100] }] },
    },
  ];
}

function labelStyle(color: string): object {
  return { color, fontFamily: CHART_FONT, fontSize: 10.5 };
}

function describe(curve: Ecdf): string {
  const at = (share: number): string => formatMs(curve.points.find((point) => point.share >= share)?.ms ?? null);
  return `${curve.platform}: ${formatCount(curve.requests)} requests, half within ${at(0.5)}, 95 % within ${at(0.95)}, ${formatShare(1 - curve.ok / curve.requests)} unanswered.`;
}

import { formatCount } from "../format.ts";
import { CHART_FONT } from "./draw.ts";
import { COLOUR } from "./palette.ts";

export interface Thresholds {
  abnormalMs: number;
  unacceptableMs: number;
}

/** Range of a logarithmic axis, whole decades. */
export interface Decades {
  min: number;
  max: number;
}

/** The decades that hold all finite positive values and both thresholds, the same for all charts of a kind. */
export function decadesOf(values: readonly number[], thresholds: Thresholds): Decades {
  const finite = values.filter((value) => Number.isFinite(value) && value > 0);
  const low = Math.min(thresholds.abnormalMs, ...finite);
  const high = Math.max(thresholds.unacceptableMs * 1.5, ...finite);
  return { min: 10 ** Math.floor(Math.log10(low)), max: 10 ** Math.ceil(Math.log10(high)) };
}

const label = (size: number): object => ({ color: COLOUR.muted, fontFamily: CHART_FONT, fontSize: size });

export function msAxis({ min, max }: Decades, size = 11): object {
  return {
    type: "log",
    min,
    max,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...label(size), formatter: formatTick },
    splitLine: { lineStyle: { color: COLOUR.rule, width: 1 } },
    minorSplitLine: { show: false },
  };
}

export function categoryAxis(names: readonly string[], size = 11): object {
  return {
    type: "category",
    data: names,
    axisLine: { lineStyle: { color: COLOUR.muted } },
    axisTick: { show: false },
    axisLabel: { ...label(size), color: COLOUR.ink, interval: 0 },
  };
}

/** `0.1`, `1`, `10`, … ms up to 100, then `1 s`, `10 s`. */
export function formatTick(ms: number): string {
  return ms < 1000 ? `${Number(ms.toPrecision(1))} ms` : `${formatCount(ms / 1000)} s`;
}

/** A series that draws nothing but lines at the thresholds; `axis` is the one that carries the ms, `labels` where they go. */
export function thresholdSeries(
  axis: "xAxis" | "yAxis",
  { abnormalMs, unacceptableMs }: Thresholds,
  labels: "start" | "end" | "none",
): object {
  const line = (value: number, colour: string, word: string, align: "right" | "center"): object => ({
    [axis]: value,
    lineStyle: { color: colour, width: 1.25, type: [5, 3] },
    label: {
      show: labels !== "none",
      formatter: axis === "yAxis" ? `${formatCount(value)} ms\n${word}` : `${formatCount(value)} ms: ${word}`,
      color: colour,
      fontFamily: CHART_FONT,
      fontSize: 10.5,
      lineHeight: 12,
      align: axis === "yAxis" ? "left" : align,
      position: labels === "none" ? "end" : labels,
      distance: 5,
    },
  });
  const data = [
    line(abnormalMs, COLOUR.abnormal, "abnormal", "right"),
    line(unacceptableMs, COLOUR.unacceptable, "unacceptable", "center"),
  ];
  return { type: "line", data: [], markLine: { silent: true, symbol: "none", data } };
}

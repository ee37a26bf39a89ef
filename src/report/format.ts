import { formatBytes } from "../model/units.ts";

/** A duration with its unit, as prose wants it: `0.84 ms`, `4.10 ms`, `240 ms`, `1.24 s`. null or infinite: `no answer`. */
export function formatMs(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return "no answer";
  if (ms < 999.5) return `${shortNumber(ms)} ms`;
  return `${shortNumber(ms / 1000)} s`;
}

/** A duration in ms without its unit, for a column: `0.84`, `4.10`, `240`, `12,400`. null or infinite: `∞`. */
export function formatMsCell(ms: number | null): string {
  return ms === null || !Number.isFinite(ms) ? "∞" : shortNumber(ms);
}

/** Three digits that carry, two below 1: 0.84, 4.10, 24.3, 240, 12,400 (integer digits are never cut). */
function shortNumber(value: number): string {
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** How many times as large: `1.05×`, `12.3×`, `340×`; null or infinite: `∞`. */
export function formatRatio(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio)) return "∞";
  const digits = ratio < 9.95 ? 2 : ratio < 99.5 ? 1 : 0;
  return `${ratio.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits })}×`;
}

/** `12,345` */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-GB");
}

/** How many a second: `0.4`, `2.5`, `137`. */
export function formatRate(perSecond: number): string {
  return perSecond < 10 ? `${Number(perSecond.toPrecision(2))}` : formatCount(perSecond);
}

/** A share as per cent: `0 %`, `0.4 %`, `12 %`. A share that is not zero never reads `0 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.05) return "< 0.1 %";
  return `${Number(percent.toFixed(percent < 10 ? 1 : 0))} %`;
}

/** `1 run`, `3 runs` */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `a`, `a and b`, `a, b and c` */
export function listOf(items: readonly string[]): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} and ${last}`;
}

/** A confidence as it is, not rounded up: `95 %`, `93.75 %`. */
export function formatConfidence(confidence: number): string {
  return `${Number((confidence * 100).toFixed(2))} %`;
}

/** A size with its unit, powers of 1024: `256 MiB`, `1.5 GiB`. */
export function formatSize(bytes: number): string {
  return formatBytes(bytes)
    .replace(/([KMGT])$/, " $1iB")
    .replace(/(\d)B$/, "$1 bytes");
}

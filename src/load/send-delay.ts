import type { Samples } from "../model/samples.ts";

/** How late an open loop's requests were begun, ms; null without requests. The percentile is the nearest rank's. */
export function sendDelayMs(samples: Pick<Samples, "intendedNs" | "startNs">): { p95: number; max: number } | null {
  const { intendedNs, startNs } = samples;
  if (startNs.length === 0) return null;
  const delays = startNs.map((start, i) => start - (intendedNs[i] ?? start)).sort();
  const at = (rank: number): number => (delays[rank - 1] ?? 0) / 1e6;
  return { p95: at(Math.ceil(delays.length * 0.95)), max: at(delays.length) };
}

import type { Reading, Trial } from "../model/result.ts";
import { quantile } from "./quantile.ts";

/** How far the floor's 95th percentile may lie from its level; at this much the trial is invalid. */
const FLOOR_LIMIT_MS = 2;

/**
 * 95th percentile of the floor: an idle responder outside the platform, probed in every trial, so that what moves it is
 * the measurement and not the platform. +Infinity when over 5 % went unanswered; null when there is no reading.
 */
export function floorValueMs(readings: readonly Reading[]): number | null {
  for (const reading of readings) {
    if (reading.metric === "http" && reading.role === "floor" && reading.requests > 0) {
      return reading.p95WithFailures ?? Infinity;
    }
  }
  return null;
}

/** The floor's level: the median of its 95th percentiles in the valid references of all platforms; null without any. */
export function floorLevelMs(
  trials: readonly Pick<Trial, "phase" | "valid" | "readings">[],
  referencePhase: string,
): number | null {
  const values = trials
    .filter((trial) => trial.valid && trial.phase === referencePhase)
    .flatMap((trial) => floorValueMs(trial.readings) ?? []);
  return values.length === 0 ? null : quantile(Float64Array.from(values).sort(), 0.5);
}

/** The reason, if the floor lies too far from its level. */
export function floorMovement(valueMs: number, levelMs: number): string[] {
  const movedMs = Math.abs(valueMs - levelMs);
  // Not `>=`: where both are infinite the difference is NaN, and that is no valid floor either.
  if (movedMs < FLOOR_LIMIT_MS) return [];
  const written = Number.isFinite(valueMs) ? `was ${valueMs.toFixed(1)} ms` : "is infinite (over 5 % went unanswered)";
  return [
    `the floor moved: its p95 ${written}, in the references ${levelMs.toFixed(1)} ms; the limit is ${FLOOR_LIMIT_MS} ms apart`,
  ];
}

import fc from "fast-check";
import { randomLab, type RandomLab } from "./random-lab.ts";

/** Labs of a seed: the same ones each time, whatever their count. */
export function drawLabs({ seed, count, vlans }: { seed: number; count: number; vlans: boolean }): RandomLab[] {
  // Without fast-check's bias towards small things, which is for finding the smallest failure.
  return fc.sample(randomLab(vlans), { seed, numRuns: count, unbiased: true });
}

import type { Experiment } from "../model/experiment.ts";
import type { PlatformName } from "../model/lab.ts";
import { shuffle } from "./shuffle.ts";
import { xoshiro128, xoshiro128State } from "./xoshiro128.ts";

/** One trial that is to be run. */
export interface ScheduledTrial {
  /** Counts from 1. */
  block: number;
  platform: PlatformName;
  phase: string;
  /** Whether the study's own probe runs beside the open loop. */
  annex: boolean;
}

/**
 * The trials of an experiment in the order in which they run: each block holds every phase of every platform once, the
 * reference among them, in a random order of its own. The blocks in which the annex probe runs are drawn too, so that
 * it doesn't see the start of a run only.
 *
 * The same seed, blocks, platforms and phases (in the file's order) always give the same order: one xoshiro128**
 * generator, seeded once, draws first the annex's blocks and then each block's order. That is what lets `--resume` go on.
 * `seed` is an integer from 0; drawing one is the caller's.
 */
export function schedule(
  experiment: Pick<Experiment, "blocks" | "platforms" | "phases" | "annex">,
  seed: number,
): ScheduledTrial[] {
  const draw = xoshiro128(xoshiro128State(seed));
  const blocks = Array.from({ length: experiment.blocks }, (_, i) => i + 1);
  const withAnnex = new Set(shuffle(blocks, draw).slice(0, experiment.annex.blocks));
  const cells = experiment.platforms.flatMap((platform) =>
    Object.keys(experiment.phases).map((phase) => ({ platform, phase })),
  );
  return blocks.flatMap((block) =>
    shuffle(cells, draw).map(({ platform, phase }) => ({ block, platform, phase, annex: withAnnex.has(block) })),
  );
}

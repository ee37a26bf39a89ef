import fc from "fast-check";
import { expect, test } from "vitest";
import { PLATFORM_NAMES } from "../model/platform-name.ts";
import { schedule } from "./schedule.ts";

const phase = { floods: [], stressors: [] };
const experiment = {
  blocks: 5,
  platforms: ["shared" as const, "container" as const],
  phases: { reference: phase, "flood-100": phase, disk: phase },
  annex: { blocks: 3, requests: 50, concurrency: 5, runs: 3 },
};
const cell = (trial: { platform: string; phase: string }) => `${trial.platform} ${trial.phase}`;

test("every block holds every phase of every platform once, blocks in order", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.uniqueArray(fc.constantFrom(...PLATFORM_NAMES), { minLength: 1 }),
      fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 8 }),
      fc.maxSafeNat(),
      (blocks, platforms, names, annexBlocks, seed) => {
        const phases = Object.fromEntries(names.map((name) => [name, phase]));
        const trials = schedule(
          { blocks, platforms, phases, annex: { ...experiment.annex, blocks: annexBlocks } },
          seed,
        );
        const wanted = platforms.flatMap((platform) => names.map((name) => `${platform} ${name}`)).toSorted();
        expect(trials.map((trial) => trial.block)).toEqual(
          trials.map((trial) => trial.block).toSorted((a, b) => a - b),
        );
        const annex: boolean[] = [];
        for (let block = 1; block <= blocks; block++) {
          const inBlock = trials.filter((trial) => trial.block === block);
          expect(inBlock.map(cell).toSorted()).toEqual(wanted);
          expect(new Set(inBlock.map((trial) => trial.annex)).size).toBe(1);
          annex.push(inBlock.some((trial) => trial.annex));
        }
        expect(annex.filter(Boolean)).toHaveLength(Math.min(blocks, annexBlocks));
      },
    ),
    { numRuns: 50 },
  );
});

test("the same seed gives the same order, in every version: run folders are resumed by it", () => {
  expect(schedule(experiment, 42)).toEqual(schedule(experiment, 42));
  expect(
    schedule(experiment, 42)
      .slice(0, 8)
      .map((trial) => `${trial.block}${trial.annex ? "+" : "-"} ${cell(trial)}`),
  ).toMatchInlineSnapshot(`
    [
      "1+ container flood-100",
      "1+ shared flood-100",
      "1+ container disk",
      "1+ shared reference",
      "1+ container reference",
      "1+ shared disk",
      "2- shared disk",
      "2- container disk",
    ]
  `);
});

test("other seeds and other blocks have orders of their own", () => {
  const orders = (seed: number) =>
    [1, 2, 3, 4, 5].map((block) =>
      schedule(experiment, seed)
        .filter((trial) => trial.block === block)
        .map(cell)
        .join(),
    );
  expect(new Set(orders(1)).size).toBeGreaterThan(1);
  expect(orders(1)).not.toEqual(orders(2));
});

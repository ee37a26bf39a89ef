import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import { ExitCode } from "../../model/error.ts";
import type { Sight } from "../../remote/sight.ts";
import { showEnding } from "./rehearse.ts";

const ONE: Sight = { is: "there", life: "one" };
const TWO: Sight = { is: "there", life: "two" };
const SILENT: Sight = { is: "silent" };

/** What comes of a rehearsal on a host that looks like this so long after it began; the last one for ever. */
async function rehearsed(sights: [fromMs: number, sight: Sight][]) {
  const { clock } = createFakeHost();
  const did: string[] = [];
  const outcome = await showEnding(
    clock,
    { host: "ssh://lab2" },
    {
      sight: async () => sights.findLast(([fromMs]) => clock.monotonicMs() >= fromMs)?.[1] ?? SILENT,
      run: async () => {
        did.push("fence");
        await clock.sleep(1000);
      },
      onProgress: () => undefined,
    },
  ).then(
    () => "shown",
    (error: unknown) => error,
  );
  return { outcome, did };
}

test("it was shown when the host is back in another life, whoever started it", async () => {
  expect(
    (
      await rehearsed([
        [0, ONE],
        [500, SILENT],
        [600_000, TWO],
      ])
    ).outcome,
  ).toBe("shown");
  expect(
    (
      await rehearsed([
        [0, ONE],
        [500, TWO],
      ])
    ).outcome,
  ).toBe("shown");
});

test.each<[string, Parameters<typeof rehearsed>[0], RegExp]>([
  [
    "was only cut off",
    [
      [0, ONE],
      [500, SILENT],
      [9000, ONE],
    ],
    /it was cut off, not ended/,
  ],
  ["goes on", [[0, ONE]], /still answers as before/],
  [
    "does not come back",
    [
      [0, ONE],
      [500, SILENT],
    ],
    /is not back after 15 minutes/,
  ],
])("not when it %s", async (_, sights, why) => {
  const { outcome } = await rehearsed(sights);
  expect(String(outcome)).toMatch(why);
  expect(outcome).toMatchObject({ exit: ExitCode.negative });
});

test("a host that is not seen before is not ended", async () => {
  const { outcome, did } = await rehearsed([[0, SILENT]]);
  expect(String(outcome)).toMatch(/cannot be seen to end: it does not answer/);
  expect(did).toEqual([]);
});

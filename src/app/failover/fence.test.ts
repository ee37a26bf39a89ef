import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import type { Sight } from "../../remote/sight.ts";
import { endHost, FenceLied, runFence } from "./fence.ts";
import type { Look } from "./look.ts";

const ONE: Sight = { is: "there", life: "one" };
const TWO: Sight = { is: "there", life: "two" };
const SILENT: Sight = { is: "silent" };

/** Ends a host that looks like this, so long after the command; the last one for ever. */
async function ended(life: string | null, looks: [fromMs: number, host: Sight, ...onWire: string[]][]) {
  const { clock } = createFakeHost();
  const look = async (): Promise<Look> => {
    const [, host = SILENT, ...onWire] = looks.findLast(([fromMs]) => clock.monotonicMs() >= fromMs) ?? [];
    return { host, onWire };
  };
  const ending = await endHost(clock, life, { fence: async () => undefined, look }).catch((error: unknown) => error);
  return { ending, tookMs: clock.monotonicMs() };
}

describe("a host has ended when", () => {
  test("neither ssh nor the wire has heard of it for a while", async () => {
    const { ending, tookMs } = await ended("one", [
      [0, ONE, "web"],
      [10_000, SILENT],
    ]);
    expect(ending).toBe("silent");
    expect(tookMs).toBeGreaterThanOrEqual(25_000);
  });

  test("it answers out of another life", async () => {
    expect(
      await ended("one", [
        [0, SILENT],
        [6000, TWO],
      ]),
    ).toMatchObject({ ending: "anew", tookMs: 6000 });
  });
});

describe("a fence command has lied when the host", () => {
  test.each<[string, string | null, Parameters<typeof ended>[1], RegExp]>([
    ["still answers", "one", [[0, ONE]], /the host still answers$/],
    [
      "is back as it was before it was silent for long",
      "one",
      [
        [0, SILENT],
        [8000, ONE],
      ],
      /the host still answers$/,
    ],
    ["is silent, and a domain of it is not", "one", [[0, SILENT, "web"]], /web still answers on the wire$/],
    ["has another life, and so has a domain", "one", [[0, TWO, "web"]], /web still answers on the wire$/],
    ["answers, and in which life it was is not known", null, [[0, TWO]], /the host still answers$/],
    ["cannot be asked for", "one", [[0, { is: "unclear", detail: "no network" }]], /is not clear: no network$/],
  ])("%s", async (_, life, looks, why) => {
    const { ending } = await ended(life, looks);
    expect(ending).toBeInstanceOf(FenceLied);
    expect(String(ending)).toMatch(why);
  });
});

test("the command knows the host and the lab; what it ends with counts", async () => {
  const host = createFakeHost({
    answers: ({ argv }) => (argv[2] === "off" ? { code: 3, stderr: "hm\nno such outlet\n" } : undefined),
  });
  const run = (command: string) => runFence({ host } as never, "demo", { host: "ssh://root@lab2:23", command });
  await run("power cycle");
  expect(host.records.at(-1)).toMatch(
    /CLOISON_FENCE_LAB=demo CLOISON_FENCE_ADDRESS=ssh:\/\/root@lab2:23 CLOISON_FENCE_HOST=lab2 sh -c 'power cycle'/,
  );
  await expect(run("off")).rejects.toThrow("the fence command ended with 3: no such outlet");
});

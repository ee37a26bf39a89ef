import { beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import { askLabs } from "../random-labs/ask-labs.ts";
import { prepareProgram, PROGRAM } from "../sandbox.ts";

/** `npm run bench -- random-labs` asks 200, these among them. */
const LABS = 15;

/** The same labs each time, so that a failure is a change's; CLOISON_SEED draws others. */
const SEED = 2009;

const TIMEOUT_MS = 600_000;

needs(
  "root",
  "netns",
  "nft",
  "dnsmasq",
  "openvswitch",
)("random labs, with faults", () => {
  beforeAll(() => prepareProgram());

  test(
    "every question is answered as the walk predicts",
    async () => {
      const seed = Number(process.env["CLOISON_SEED"] ?? SEED);
      const host = createRealHost();
      const program: [string, string] = [process.execPath, PROGRAM];
      const say = (line: string) => console.log(line);
      const outcome = await askLabs(host, { program, seed, count: LABS, vlans: true, name: "random", say });
      expect(outcome.failed).toEqual([]);
      expect(outcome.mismatches).toEqual([]);
      expect(outcome.unknown / outcome.questions).toBeLessThan(0.2);
      expect(outcome.strayed).toEqual([]);
      expect(outcome.lost).toEqual([]);
      expect(outcome.unmended).toEqual([]);
      expect(outcome.closings.open).toBe(0);
      expect(outcome.closings.mended).toBeGreaterThan(0);
      expect(outcome.blocked / outcome.questions).toBeGreaterThan(0.25);
      // Of so few labs only the commonest rules are sure to matter.
      for (const rule of ["longest-prefix", "weak-host"] as const)
        expect(outcome.wrongWithout[rule]).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});

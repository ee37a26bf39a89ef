import { describe, test } from "vitest";
import { probe, requiredNeeds, type Need } from "./probes.ts";

type Suite = (name: string, define: () => void) => void;

/** What whoever brings up a lab of containers wants. */
export const LAB_NEEDS = [
  "root",
  "netns",
  "runc",
  "overlay",
  "loop",
  "mmdebstrap",
  "dnsmasq",
] as const satisfies Need[];

/**
 * A `describe` for suites that want something of the machine, found by trying it (once per process).
 * When it is missing the suite is skipped under a name that says why, so that the runner can list it;
 * when CLOISON_REQUIRE names it (a comma list, or `all`), a failing test stands in the suite's place.
 */
export function needs(...what: Need[]): Suite {
  const missing = what.flatMap((need) => {
    const reason = probe(need);
    return reason === null ? [] : [{ need, reason }];
  });
  if (missing.length === 0) return (name, define) => void describe(name, define);

  const reasons = missing.map(({ need, reason }) => `needs ${need}: ${reason}`).join("; ");
  const required = requiredNeeds(process.env["CLOISON_REQUIRE"]);
  if (missing.some(({ need }) => required.has(need))) {
    return (name) =>
      void describe(name, () => {
        test(`has what CLOISON_REQUIRE asks for`, () => {
          throw new Error(reasons);
        });
      });
  }
  return (name, define) => void describe.skipIf(true)(`${name} [${reasons}]`, define);
}

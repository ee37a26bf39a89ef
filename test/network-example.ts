import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { parse, stringify } from "yaml";
import type { VerifiedRow } from "../src/app/network/verify.ts";

/** What `examples/networks` has; a machine for each domain is had of each. */
export const NETWORK_EXAMPLES = ["bridge", "routed", "nat", "vlan-dmz", "mixed"];

/** What a machine must have. */
const LEAST = { memory: "96M" };

interface Lab {
  images: object;
  domains: Record<string, { image: string }>;
}

/** An example of the network modes, under its own name, with a machine of the least memory for each of its domains. */
export function machinesOf(
  example: string,
  change: Partial<{ platform: string; image: string; images: object }>,
): string {
  const text = readFileSync(new URL(`../examples/networks/${example}.yaml`, import.meta.url), "utf8");
  const lab = parse(text) as Lab;
  const { image, ...others } = change;
  for (const [name, domain] of Object.entries(lab.domains)) {
    lab.domains[name] = { ...domain, image: image ?? domain.image, ...LEAST };
  }
  return stringify({ ...lab, ...others, name: example });
}

/**
 * Each question was answered as predicted, and every machine asked some itself.
 * @param answer of `net verify --json`
 * @returns how many there were, in words
 */
export function expectAsPredicted(example: string, lab: string, answer: string): string {
  const { rows, findings, selfReported, notAsked } = JSON.parse(answer) as {
    rows: VerifiedRow[];
    findings: string[];
    selfReported: string[];
    notAsked: number;
  };
  const wrong = rows.filter(({ mismatches }) => mismatches.length > 0);
  expect(wrong.map(({ question, mismatches }) => ({ question, mismatches }))).toEqual([]);
  expect({ findings, notAsked }).toEqual({ findings: [], notAsked: 0 });
  const domains = Object.keys((parse(lab) as Lab).domains);
  const asked = rows.filter(({ question }) => selfReported.includes(question.from));
  // What machines asked was answered, and was not; in a bridge everybody reaches everybody.
  expect(domains.every((name) => selfReported.some((guest) => guest.startsWith(name)))).toBe(true);
  expect(new Set(asked.map(({ observation }) => observation.outcome))).toEqual(
    new Set(example === "bridge" ? ["reachable"] : ["reachable", "blocked"]),
  );
  return `${example}: ${rows.length} questions, ${asked.length} of them from inside ${selfReported.length} machines`;
}

// The order of the system suites and what each may take. Plain Node.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Quick ones first: what breaks early is told early. A suite that is not listed runs after these, in the order of the
 * names. Seconds are on two cores with images built; a suite is ended at four times its budget.
 */
const order = [
  { name: "launcher", budgetS: 30 },
  { name: "study", budgetS: 120 },
  { name: "random-labs", budgetS: 200 },
  { name: "qemu", budgetS: 280 },
  { name: "image-commands", budgetS: 200 },
];

const defaultBudgetS = { system: 120, long: 1800, xen: 240, slow: 1800 };

/** Suites of a lane (`system`, `long`, `xen` or `slow`): `{ name, file, budgetS }`. Throws on a listed suite that is not there. */
export function suitesOf(root, lane) {
  const folder = join(root, "test", lane);
  const found = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".test.ts")) : [];
  const names = found.map((name) => name.slice(0, -".test.ts".length)).sort();
  const listed = lane === "system" ? order : [];
  const lost = listed.filter(({ name }) => !names.includes(name));
  if (lost.length > 0)
    throw new Error(`scripts/suites.mjs lists ${lost[0].name}, and there is no test/${lane}/${lost[0].name}.test.ts`);
  const rest = names
    .filter((name) => !listed.some((suite) => suite.name === name))
    .map((name) => ({ name, budgetS: defaultBudgetS[lane] }));
  return [...listed, ...rest].map((suite) => ({ ...suite, file: `test/${lane}/${suite.name}.test.ts` }));
}

// npm test: all but the other lanes, from a fresh clone too. Packages, build, check, then the system suites one after the other, since
// they measure and use the machine as root.
//   node scripts/test.mjs [--long | --xen | --slow] [SUITE…]     the long lane, the emulated Xen host's, or what no build calls,
//                                                                instead; SUITE: only these, without check
// CLOISON_REQUIRE (needs of test/probes.ts, or all) turns their skips into failures; CLOISON_NO_INSTALL leaves apt alone.
// The last line is `N passed, N failed, N skipped`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installDebianPackages } from "./debian-packages.mjs";
import { leftSince, machineState } from "./leftovers.mjs";
import { recordLongInputs } from "./long-inputs.mjs";
import { addResults, closingLine, countResults, noResults } from "./results.mjs";
import { run } from "./spawn.mjs";
import { suitesOf } from "./suites.mjs";

/** Beside the system suites. */
const LANES = ["long", "xen", "slow"];

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "cloison-test-"));
const seconds = (value) => `${value.toFixed(1).padStart(6)} s`;

const command = (lane) => (lane === "system" ? "npm test" : `npm run test:${lane}`);

async function prepare() {
  installDebianPackages((line) => console.log(line));
  const prepared = await run(["flock", root, process.execPath, "scripts/prepare.mjs"], { cwd: root, inherit: true });
  if (!prepared.ok) throw new Error("the program could not be built; the reason is above");
}

async function runCheck() {
  const results = join(scratch, "check.json");
  const { ok } = await run([process.execPath, "scripts/check.mjs", "--results", results], { cwd: root, inherit: true });
  const counts = JSON.parse(readFileSync(results, "utf8"));
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

async function runSuite(lane, { name, file, budgetS }) {
  process.stdout.write(`${name.padEnd(24)} `);
  const report = join(scratch, `${name}.json`);
  const vitest = join(root, "node_modules/.bin/vitest");
  const argv = [
    vitest,
    "run",
    "--project",
    lane,
    "--reporter=verbose",
    "--reporter=json",
    `--outputFile.json=${report}`,
    file,
  ];
  const before = machineState();
  const done = await run(argv, { cwd: root, deadlineS: 4 * budgetS });
  const counts = countResults(report, { root, ok: done.ok });
  const left = leftSince(before);
  // Elsewhere than on a build machine somebody else may have made these.
  if (left.length > 0 && process.env.CI !== undefined) counts.failed += 1;
  const failed = counts.failed > 0;
  const over = done.seconds > budgetS ? `, over its budget of ${budgetS} s` : "";
  console.log(`${failed ? "FAILED" : "ok    "} ${seconds(done.seconds)}  ${closingLine(counts)}${over}`);
  if (left.length > 0) console.log(`${name} left behind, or somebody made meanwhile:\n  ${left.join("\n  ")}`);
  if (failed)
    console.log(`${done.output.trimEnd()}\n${name}: ${done.problem ?? "failed"}; again: ${command(lane)} ${name}\n`);
  return counts;
}

async function main() {
  const options = Object.fromEntries(LANES.map((name) => [name, { type: "boolean" }]));
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const lane = LANES.find((name) => values[name]) ?? "system";
  const all = suitesOf(root, lane);
  const unknown = positionals.filter((name) => !all.some((suite) => suite.name === name));
  if (unknown.length > 0)
    throw new Error(`no suite ${unknown.join(", ")}; there are ${all.map(({ name }) => name).join(", ")}`);

  const startedMs = performance.now();
  await prepare();
  let total = lane !== "system" || positionals.length > 0 ? noResults : await runCheck();
  for (const suite of all.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    const counts = await runSuite(lane, suite);
    const passed = counts.passed > 0 && counts.failed + counts.skipped === 0;
    // On a build machine the record is only compared: it belongs to a commit.
    if (lane === "long" && passed && process.env.CI === undefined) recordLongInputs(suite);
    total = addResults(total, counts);
  }
  console.log(`${"all".padEnd(24)}        ${seconds((performance.now() - startedMs) / 1000)}`);
  return total;
}

let total = { ...noResults, failed: 1 };
try {
  total = await main();
} catch (error) {
  console.log(`test: ${error.message}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (total.skips.length > 0) console.log("Skipped:");
for (const { where, why, tests } of total.skips)
  console.log(`  ${where}: ${why} (${tests} ${tests === 1 ? "test" : "tests"})`);
console.log(closingLine(total));
if (total.failed > 0) process.exitCode = 1;

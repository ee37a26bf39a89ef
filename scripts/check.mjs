// npm run check: everything that needs no root and takes under a minute, two steps at a time.
//   node scripts/check.mjs [--results FILE] [STEP…]
// A line per step; what a step printed follows only when it failed.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { staleModules } from "./install.mjs";
import { addResults, closingLine, countResults, noResults } from "./results.mjs";
import { run } from "./spawn.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => join(root, "node_modules", ".bin", name);
const scratch = mkdtempSync(join(tmpdir(), "cloison-check-"));
const report = join(scratch, "unit.json");

/** The longest first. `remedy` is printed with a failure. */
const steps = [
  {
    name: "tests",
    argv: [
      bin("vitest"),
      "run",
      "--project",
      "unit*",
      "--reporter=dot",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ],
    remedy: "npx vitest run FILE runs one file again",
  },
  {
    name: "types",
    argv: [bin("tsc"), "-p", ".", "--pretty", "false"],
    remedy: "the compiler's messages are above",
  },
  {
    name: "lint",
    argv: [bin("oxlint"), "--type-aware", "--deny-warnings", "--format=unix"],
    remedy: "npx oxlint --type-aware --fix mends some of it",
  },
  { name: "dead code", argv: [bin("knip"), "--no-progress"], remedy: "delete it, or use it" },
  {
    name: "layers",
    argv: [process.execPath, "scripts/layers.mjs"],
    remedy: "the table of layers is in .dependency-cruiser.cjs, its reasons in docs/architecture.md",
  },
  { name: "format", argv: [bin("oxfmt"), "--check", "."], remedy: "npm run format mends it" },
];

async function runStep({ name, argv, remedy }) {
  const { ok, output, seconds, problem } = await run(argv, { cwd: root, deadlineS: 300 });
  const counts = name === "tests" ? countResults(report, { root, ok }) : { ...noResults, failed: ok ? 0 : 1 };
  const numbers = name === "tests" ? `  ${closingLine(counts)}` : "";
  console.log(`${name.padEnd(10)} ${ok ? "ok    " : "FAILED"} ${seconds.toFixed(1).padStart(5)} s${numbers}`);
  if (!ok) console.log(`${output.trimEnd()}\n${name}: ${problem}; ${remedy}\n`);
  return counts;
}

async function main() {
  const { values, positionals } = parseArgs({ options: { results: { type: "string" } }, allowPositionals: true });
  const unknown = positionals.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0)
    throw new Error(`no step ${unknown.join(", ")}; there are ${steps.map(({ name }) => name).join(", ")}`);
  if (staleModules(root) !== null) {
    const installed = await run(["flock", root, process.execPath, "scripts/install.mjs"], { cwd: root, inherit: true });
    if (!installed.ok) throw new Error("the packages could not be installed; the reason is above");
  }
  const startedMs = performance.now();
  const waiting = steps.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  let total = noResults;
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const counts = await runStep(step);
      total = addResults(total, counts);
    }
  };
  await Promise.all([worker(), worker()]);
  console.log(
    `check      ${total.failed === 0 ? "ok    " : "FAILED"} ${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`,
  );
  if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(total));
  if (total.failed > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  console.error(`check: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

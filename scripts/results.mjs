// What vitest's JSON reporter wrote, counted. Plain Node.
import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";

export const noResults = { passed: 0, failed: 0, skipped: 0, skips: [] };

/**
 * Counts of one report, and its skips (`where`, `why`, `tests`). A file that could not be loaded, a run that
 * reports nothing, and a run that failed without a failing test count as one failure each: nothing is lost silently.
 */
export function countResults(reportFile, { root, ok }) {
  const report = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : { testResults: [] };
  const counts = { passed: 0, failed: 0, skipped: 0, skips: [] };
  const skips = new Map();
  for (const file of report.testResults) {
    const where = relative(root, file.name);
    if (file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"))
      counts.failed += 1;
    for (const { status, ancestorTitles, title } of file.assertionResults) {
      if (status === "passed") counts.passed += 1;
      else if (status === "failed") counts.failed += 1;
      else {
        counts.skipped += 1;
        const why = ancestorTitles.find((name) => name.includes("[needs ")) ?? [...ancestorTitles, title].join(" > ");
        const key = `${where}: ${why}`;
        skips.set(key, { where, why, tests: (skips.get(key)?.tests ?? 0) + 1 });
      }
    }
  }
  if (counts.failed === 0 && (!ok || report.testResults.length === 0)) counts.failed = 1;
  counts.skips = [...skips.values()];
  return counts;
}

export function addResults(a, b) {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    skips: [...a.skips, ...b.skips],
  };
}

/** The line that every test run ends with. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

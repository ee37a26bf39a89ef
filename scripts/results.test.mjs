import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addResults, closingLine, countResults } from "./results.mjs";

let folder;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cloison-results-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function count(files, ok) {
  const report = join(folder, "report.json");
  const testResults = files.map((file) => ({ ...file, name: "/repository/test/system/a.test.ts" }));
  writeFileSync(report, JSON.stringify({ testResults }));
  return countResults(report, { root: "/repository", ok });
}

const assertion = (status, ...names) => ({ status, ancestorTitles: names, title: "it does" });

describe("counting a run", () => {
  test("counts, and lists a skipped suite once, with its reason", () => {
    const counts = count(
      [
        {
          status: "passed",
          assertionResults: [
            assertion("passed", "one"),
            assertion("skipped", "two [needs runc: no program runc]", "inner"),
            assertion("pending", "two [needs runc: no program runc]"),
            assertion("todo", "three"),
          ],
        },
      ],
      true,
    );
    expect(closingLine(counts)).toBe("1 passed, 0 failed, 3 skipped");
    expect(counts.skips).toEqual([
      { where: "test/system/a.test.ts", why: "two [needs runc: no program runc]", tests: 2 },
      { where: "test/system/a.test.ts", why: "three > it does", tests: 1 },
    ]);
  });

  test("a file that could not be loaded is a failure", () => {
    expect(count([{ status: "failed", assertionResults: [] }], false)).toMatchObject({ passed: 0, failed: 1 });
  });

  test("a run that failed although every test passed is a failure", () => {
    expect(count([{ status: "passed", assertionResults: [assertion("passed", "a")] }], false)).toMatchObject({
      failed: 1,
    });
  });

  test("a run that tested nothing, or wrote no report, is a failure", () => {
    expect(count([], true).failed).toBe(1);
    expect(countResults(join(folder, "missing.json"), { root: "/", ok: true }).failed).toBe(1);
  });

  test("sums", () => {
    const counts = count(
      [{ status: "failed", assertionResults: [assertion("failed", "a"), assertion("passed", "a")] }],
      false,
    );
    expect(closingLine(addResults(counts, counts))).toBe("2 passed, 2 failed, 0 skipped");
  });
});

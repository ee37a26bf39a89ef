import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { benchmarksPage, type WrittenBench } from "./benchmarks-page.ts";

test("each bench has a section of its own, with when and on what it was measured", () => {
  const row = { name: "plan", against: "-", unit: "s", ours: 1, theirs: 2, ratio: 1, low: 1, high: 1 };
  const page = benchmarksPage({
    labs: { measuredOn: "2026-01-02", machine: ["a CPU", "Linux 6"], rows: [{ ...row, wanted: "≤ 2", met: true }] },
    predict: { measuredOn: "2026-03-04", machine: ["another"], rows: [{ ...row, wanted: "≤ 0.5", met: false }] },
  });
  const [, labs = "", predict = ""] = page.split(/^## /m);
  expect(labs).toMatch(/^labs\n\n\| what .*\n.*\n.*\| ≤ 2 +\| yes \|\n\nMeasured on 2026-01-02: a CPU; Linux 6\.\n/);
  expect(predict).toMatch(/^predict\n[^]*\| ≤ 0\.5 +\| \*\*no\*\* \|\n\nMeasured on 2026-03-04: another\.\n/);
});

test("the committed page is the committed record's", () => {
  const record = JSON.parse(readFileSync("docs/benchmarks.json", "utf8")) as Record<string, WrittenBench>;
  expect(readFileSync("docs/benchmarks.md", "utf8")).toBe(benchmarksPage(record));
});

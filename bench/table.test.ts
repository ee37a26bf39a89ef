import { expect, test } from "vitest";
import { benchTable } from "./table.ts";

test("the table names what was not met, and lists notes", () => {
  const row = {
    name: "keep-alive",
    against: "wrk",
    unit: "1/s",
    ours: 65432,
    theirs: 64000,
    ratio: 1.0224,
    low: 0.9,
    high: 1.1,
  };
  expect(
    benchTable([
      { ...row, wanted: "≥ 0.85", met: true },
      { ...row, against: "-", wanted: "≥ 1", met: false, note: "limited by the kernel" },
      { ...row, against: "ab", wanted: "-", met: true },
    ]),
  ).toBe(
    [
      "| what       | against | unit | ours   | theirs | ratio | interval   | wanted | met    |",
      "|------------|---------|------|--------|--------|-------|------------|--------|--------|",
      "| keep-alive | wrk     | 1/s  | 65,400 | 64,000 | 1.02  | 0.9 to 1.1 | ≥ 0.85 | yes    |",
      "| keep-alive | -       | 1/s  | 65,400 | -      | 1.02  | 0.9 to 1.1 | ≥ 1    | **no** |",
      "| keep-alive | ab      | 1/s  | 65,400 | 64,000 | 1.02  | 0.9 to 1.1 | -      | -      |",
      "",
      "- keep-alive, against -: limited by the kernel",
    ].join("\n"),
  );
});

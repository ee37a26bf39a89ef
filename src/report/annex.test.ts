import { describe, expect, it } from "vitest";
import { summariseRuns, type AnnexRow } from "./annex.ts";

const row = (over: Partial<AnnexRow>): AnnexRow => ({
  figure: 19,
  platform: "container",
  load: "reference",
  target: "apache1",
  requests: 3,
  concurrency: 5,
  role: "annex",
  unanswered: 0,
  min: 1,
  mean: 2,
  sd: 1,
  median: 2,
  p95: 3,
  max: 3,
  ...over,
});

describe("several runs as one row", () => {
  it("pools mean and deviation as if all answers were one sample", () => {
    // 1 2 3 and 4 6 8: R gives mean 4, sd 2.607681.
    const [summary] = summariseRuns([row({}), row({ min: 4, mean: 6, sd: 2, median: 6, p95: 8, max: 8 })]);
    expect(summary).toMatchObject({ runs: 2, requests: 6, min: 1, mean: 4, median: 4, p95: 5.5, max: 8 });
    expect(summary?.sd).toBeCloseTo(2.607681, 6);
  });

  it("lets a request without an answer make max infinite, and p95 where most runs have one", () => {
    const lost = row({ unanswered: 1, p95: null, max: null });
    expect(summariseRuns([row({}), row({}), lost])).toMatchObject([{ p95: 3, max: null, unanswered: 1 }]);
    expect(summariseRuns([row({}), lost, lost])).toMatchObject([{ p95: null, max: null, median: 2 }]);
  });

  it("has no figure at all when nothing was answered", () => {
    const silent = row({ unanswered: 3, min: null, mean: null, sd: null, median: null, p95: null, max: null });
    expect(summariseRuns([silent])).toMatchObject([
      { min: null, mean: null, sd: null, median: null, p95: null, max: null },
    ]);
  });

  it("keeps loads, platforms, targets and the flood's own figures apart", () => {
    const rows = [
      row({}),
      row({ platform: "shared" }),
      row({ target: "apache2" }),
      row({ role: "load" }),
      row({ load: "disk" }),
    ];
    expect(summariseRuns(rows)).toHaveLength(5);
  });
});

import { describe, expect, it } from "vitest";
import type { Reading, Result, Trial } from "../model/result.ts";
import { renderCsv } from "./csv.ts";
import { STUDY_2009 } from "./data/study-2009.ts";
import { fixtureResult } from "./fixture.ts";

const HEAD = "figure,platform,load,target,requests,concurrency,min,mean,sd,median,p95,max";

/** One trial of the fixture with exactly these readings. */
function resultOf(trial: Partial<Trial>, readings: Reading[]): Result {
  const result = fixtureResult({ blocks: 1 });
  const [first] = result.trials;
  if (first === undefined) throw new Error("the fixture has no trial");
  return { ...result, trials: [{ ...first, platform: "shared", phase: "flood-1000", ...trial, readings }] };
}

function annexReading(over: Partial<Extract<Reading, { metric: "http" }>>): Reading {
  return {
    metric: "http",
    role: "annex",
    run: 1,
    target: "apache1",
    engine: "epoll",
    mode: "closed",
    requests: 50,
    concurrency: 5,
    rateHz: null,
    path: "/index.html",
    ok: 50,
    failed: 0,
    timeouts: 0,
    cutOff: 0,
    ms: { min: 21, mean: 408.25, sd: 1390.6, median: 25, p95: 3148, p99: null, max: 6451 },
    serviceMs: null,
    sendDelayP95Ms: null,
    p95WithFailures: 3148,
    outliers: 0,
    ...over,
  };
}

describe("table.csv", () => {
  it("has the columns of the study's annex, and a line for each run", () => {
    expect(renderCsv(resultOf({}, [annexReading({})]))).toBe(
      `${HEAD}\n20,shared,flood-1000,apache1,50,5,21,408.3,1391,25,3148,6451\n`,
    );
  });

  it("numbers the figure by the kind of platform, and leaves it empty for loads that the study had not", () => {
    const line = (trial: Partial<Trial>): string => renderCsv(resultOf(trial, [annexReading({})])).split("\n")[1] ?? "";
    expect(line({ platform: "container" })).toMatch(/^23,container,flood-1000,/);
    expect(line({ phase: "fork-bomb" })).toMatch(/^,shared,fork-bomb,/);
  });

  it("writes TO where a request without an answer makes a figure infinite, and nothing for a missing deviation", () => {
    const few = annexReading({ ok: 49, timeouts: 1 });
    const many = annexReading({ ok: 40, timeouts: 10, p95WithFailures: null });
    const none = annexReading({ ok: 0, timeouts: 50, ms: null, p95WithFailures: null });
    const single = annexReading({
      ms: { min: 2, mean: 2, sd: null, median: 2, p95: 2, p99: null, max: 2 },
      p95WithFailures: 2,
    });
    const lines = renderCsv(resultOf({}, [few, many, none, single]))
      .trim()
      .split("\n")
      .slice(1);
    expect(lines.map((line) => line.split(",").slice(6).join(","))).toEqual([
      "21,408.3,1391,25,3148,TO",
      "21,408.3,1391,25,TO,TO",
      "TO,TO,TO,TO,TO,TO",
      "2,2,,2,2,2",
    ]);
  });

  it("leaves out trials that are not valid", () => {
    expect(renderCsv(resultOf({ valid: false }, [annexReading({})]))).toBe(`${HEAD}\n`);
  });

  it("orders the whole study by load, platform and block, floods after the probe that ran beside them", () => {
    const lines = renderCsv(fixtureResult())
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(","));
    expect([...new Set(lines.map((cells) => `${cells[2]} ${cells[1]}`))].slice(0, 4)).toEqual([
      "reference shared",
      "reference container",
      "flood-100 shared",
      "flood-100 container",
    ]);
    const flooded = lines.filter((cells) => cells[2] === "flood-100" && cells[1] === "shared").map((cells) => cells[3]);
    expect(flooded).toEqual([
      ...Array.from({ length: 3 }, () => ["apache1", "apache1", "apache1", "apache2"]).flat(),
      "apache2",
      "apache2",
    ]);
  });
});

describe("the figures of 2009", () => {
  it("are the study's own, none lost", () => {
    expect(STUDY_2009.annex.filter((row) => row.requests === 50)).toHaveLength(27);
    expect(STUDY_2009.annex.filter((row) => row.requests !== 50)).toHaveLength(5);
    const flooded = STUDY_2009.annex.filter((row) => row.platform === "native" && row.load === "http-500k-1000");
    expect(flooded.map((row) => row.mean)).toEqual([408, 331, 411, 196]);
    expect(STUDY_2009.annex.at(-1)).toMatchObject({ load: "disk-io", target: "client2", requests: null, max: null });
    expect(STUDY_2009.suite.find((row) => row.stress === "disk")?.cells).toEqual([
      { system: "vmware", good: "0", bad: "39.80" },
      { system: "xen", good: "1.67", bad: "11.53" },
      { system: "openvz", good: "2.52", bad: "2.63" },
    ]);
  });
});

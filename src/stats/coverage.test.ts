import { describe, expect, test } from "vitest";
import { medianInterval, ratioInterval } from "./median-interval.ts";
import { quantile } from "./quantile.ts";
import { referenceSpread } from "./reference-spread.ts";
import { verdictOf } from "./verdict.ts";

type Draw = () => number;

/** Uniform from 0 to 1: Park and Miller's minimal standard generator (1988), enough for a simulation. */
function uniform(seed: number): Draw {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Standard normal (Box, Muller 1958). */
const normal =
  (u: Draw): Draw =>
  () =>
    Math.sqrt(-2 * Math.log(u())) * Math.cos(2 * Math.PI * u());

/** Distributions of a block's 95th percentile, ms, with their true medians. */
const DISTRIBUTIONS: { name: string; median: number; draw: (u: Draw) => Draw }[] = [
  { name: "lognormal, cv 20 %", median: 4, draw: (u) => scaled(4, 0.2, normal(u)) },
  { name: "lognormal, cv over 100 %", median: 4, draw: (u) => scaled(4, 1, normal(u)) },
  { name: "skewed on logarithms: e to an exponential", median: 2, draw: (u) => () => u() ** -1 },
  { name: "Pareto without a variance", median: 2 ** (1 / 1.5), draw: (u) => () => u() ** (-1 / 1.5) },
  // A calm state, and one block in four in a state 200 times as slow: the median is the calm state's 2/3 quantile.
  {
    name: "two states",
    median: 4 * Math.exp(0.1 * 0.430727299295457), // python3 -c "from scipy.stats import norm; print(norm.ppf(2/3))"
    draw: (u) => {
      const z = normal(u);
      return () => (u() < 0.25 ? 800 : 4) * Math.exp(0.1 * z());
    },
  },
  // One block in four does not return.
  {
    name: "lognormal, or infinite",
    median: 4 * Math.exp(0.1 * 0.430727299295457),
    draw: (u) => {
      const z = normal(u);
      return () => (u() < 0.25 ? Infinity : 4 * Math.exp(0.1 * z()));
    },
  },
];

function scaled(median: number, deviation: number, z: Draw): Draw {
  return () => median * Math.exp(deviation * z());
}

const RUNS = 4000;
/** Three standard errors of a coverage from RUNS runs. */
const tolerance = (confidence: number) => 3 * Math.sqrt((confidence * (1 - confidence)) / RUNS);

/** Share of runs of n draws whose interval holds the truth. */
function coverage(
  n: number,
  draw: Draw,
  truth: number,
  interval: (values: number[]) => { low: number | null; high: number | null },
) {
  let hits = 0;
  for (let run = 0; run < RUNS; run++) {
    const { low, high } = interval(Array.from({ length: n }, draw));
    if (low !== null && high !== null && low <= truth && truth <= high) hits++;
  }
  return hits / RUNS;
}

describe("the interval for the median covers what it says", () => {
  test.each(DISTRIBUTIONS)("$name", ({ name, median, draw }) => {
    for (const n of [5, 6, 7, 8, 9, 10, 20]) {
      const confidence = medianInterval(Array.from({ length: n }, (_, i) => i)).confidence ?? NaN;
      const covered = coverage(n, draw(uniform(1e6 * name.length + n)), median, medianInterval);
      expect(covered, `n = ${n}`).toBeGreaterThan(confidence - tolerance(confidence));
      // Nor does it boast of less: the distribution-free confidence is exact.
      expect(covered, `n = ${n}`).toBeLessThan(confidence + tolerance(confidence));
    }
  });

  test("for paired ratios to a reference that shares the block's luck", () => {
    const u = uniform(77);
    const z = normal(u);
    // The block slows both; the phase is 1.5 times its reference in the median, with a skewed excess.
    const ratio = () => {
      const block = Math.exp(0.5 * z());
      const reference = 4 * block * Math.exp(0.1 * z());
      const phase = 6 * block * Math.exp(0.1 * z());
      return phase / reference;
    };
    expect(coverage(5, ratio, 1.5, ratioInterval)).toBeGreaterThan(0.9375 - tolerance(0.9375));
    expect(coverage(10, ratio, 1.5, ratioInterval)).toBeGreaterThan(0.978515625 - tolerance(0.978515625));
  });

  test("for p95s that are themselves estimated from 100 requests with stalls", () => {
    const blockP95 = (u: Draw): Draw => {
      const z = normal(u);
      return () => {
        const block = 3 * Math.exp(0.3 * z());
        const requests = Float64Array.from({ length: 100 }, () => (u() < 0.04 ? 40 : 1) * block * Math.exp(0.4 * z()));
        return quantile(requests.sort(), 0.95);
      };
    };
    const many = Float64Array.from({ length: 8001 }, blockP95(uniform(5))).sort();
    const draw = blockP95(uniform(6));
    let hits = 0;
    for (let run = 0; run < 1000; run++) {
      const { low, high } = medianInterval(Array.from({ length: 5 }, draw));
      if ((low ?? NaN) <= quantile(many, 0.5) && quantile(many, 0.5) <= (high ?? NaN)) hits++;
    }
    // 1000 runs, and a truth that is itself estimated: three standard errors of both.
    expect(hits / 1000).toBeGreaterThan(0.9375 - 3 * Math.sqrt((0.9375 * 0.0625) / 1000 + 0.0001));
  });
});

describe("why not another method", () => {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  /** Efron's percentile interval for the geometric mean, at 95 %. (For the median of 5 it is their range, at 93.75 %.) */
  const bootstrap = (u: Draw) => (values: number[]) => {
    const logs = values.map(Math.log);
    const means = Float64Array.from({ length: 200 }, () =>
      mean(logs.map(() => logs[Math.floor(u() * logs.length)] ?? NaN)),
    ).sort();
    return { low: Math.exp(quantile(means, 0.025)), high: Math.exp(quantile(means, 0.975)) };
  };

  /** Student's t on logarithms, for the geometric mean, at 95 %. */
  const logT = (values: number[]) => {
    const logs = values.map(Math.log);
    const centre = mean(logs);
    const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - centre) ** 2, 0) / (logs.length - 1));
    // python3 -c "from scipy.stats import t; print(t.ppf(.975, 4))"
    const half = (2.7764451051977987 * deviation) / Math.sqrt(logs.length);
    return { low: Math.exp(centre - half), high: Math.exp(centre + half) };
  };

  test("with 5 blocks the percentile bootstrap covers under 87 % where it says 95 %, even of lognormal values", () => {
    const draw = scaled(4, 0.2, normal(uniform(3)));
    expect(coverage(5, draw, 4, bootstrap(uniform(4)))).toBeLessThan(0.87);
  });

  test("Student's t on logarithms covers under 90 % where it says 95 %, of its own geometric mean, when logarithms are skewed", () => {
    const u = uniform(9);
    expect(coverage(5, () => 1 / u(), Math.E, logT)).toBeLessThan(0.9);
  });
});

describe("verdicts of 5 blocks on a load that does nothing, or something", () => {
  const share = (effect: number, deviation: number, seed: number) => {
    const z = normal(uniform(seed));
    const draw = scaled(20, deviation, z);
    const counts: Record<string, number> = {};
    for (let run = 0; run < RUNS; run++) {
      const references = Array.from({ length: 5 }, draw);
      const phases = references.map(() => effect * draw());
      const verdict = verdictOf({
        unanswered: 0,
        valueMs: medianInterval(phases),
        ratio: ratioInterval(phases.map((value, i) => value / (references[i] ?? NaN))),
        spreadLimit: referenceSpread(references, 1).limit,
        thresholds: { abnormalMs: 1e6, unacceptableMs: 1e7 },
      });
      counts[verdict] = (counts[verdict] ?? 0) + 1 / RUNS;
    }
    return counts;
  };

  test.each([0.01, 0.05, 0.1, 0.3, 1])("none is called degraded in one run of 100 (deviation %d)", (deviation) => {
    expect(share(1, deviation, 11)["degraded"] ?? 0).toBeLessThan(0.01);
  });

  test("quiet ones are called unaffected", () => {
    expect(share(1, 0.01, 12)["unaffected"]).toBeGreaterThan(0.95);
  });

  test("a load that makes it three times as slow is called degraded", () => {
    expect(share(3, 0.1, 13)["degraded"]).toBeGreaterThan(0.99);
  });
});

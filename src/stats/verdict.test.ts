import fc from "fast-check";
import { expect, test } from "vitest";
import { VERDICTS } from "../model/result.ts";
import { medianInterval, ratioInterval, ratioOf } from "./median-interval.ts";
import { type Evidence, verdictOf } from "./verdict.ts";

const thresholds = { abnormalMs: 100, unacceptableMs: 1000 };

/** Phases against references of the same blocks; the spread is given. */
function verdict(phases: number[], references: number[], rest: Partial<Evidence> = {}) {
  const ratios = phases.map((value, i) => ratioOf(value, references[i] ?? NaN));
  const evidence = {
    unanswered: 0,
    valueMs: medianInterval(phases),
    ratio: ratioInterval(ratios),
    spreadLimit: 1.25,
    thresholds,
  };
  return verdictOf({ ...evidence, ...rest });
}

const five = (value: number) => Array<number>(5).fill(value);
const calm = five(4);

test("over 5 % unanswered is did-not-return, whatever the figures", () => {
  expect(verdict(five(Infinity), calm, { unanswered: 1 })).toBe("did-not-return");
  expect(verdict(calm, calm, { unanswered: 0.0501 })).toBe("did-not-return");
  expect(verdict(calm, calm, { unanswered: 0.05 })).toBe("unaffected");
});

test("a threshold counts when the whole interval is over it", () => {
  expect(verdict([1001, 1002, 5000, 6000, 7000], calm)).toBe("unacceptable");
  expect(verdict([1000, 1002, 5000, 6000, 7000], calm)).toBe("abnormal");
  expect(verdict([101, 1002, 5000, 6000, 7000], calm)).toBe("abnormal");
  expect(verdict([100, 1002, 5000, 6000, 7000], calm)).toBe("degraded");
  expect(verdict([1001, 1002, 5000, 6000, 7000], calm, { thresholds: null })).toBe("degraded");
});

test("thresholds hold for a reference that was slow itself", () => {
  expect(verdict(five(150), five(150))).toBe("abnormal");
});

test("within, above, and across the spread", () => {
  expect(verdict([4, 4.4, 4.8, 5, 3.6], calm)).toBe("unaffected");
  expect(verdict([5.01, 6, 7, 8, 9], calm)).toBe("degraded");
  expect(verdict([4, 6, 7, 8, 9], calm)).toBe("inconclusive");
  expect(verdict([4, 4, 4, 4, 5.01], calm)).toBe("inconclusive");
});

test("on the fast side the estimate decides", () => {
  expect(verdict([1, 1, 4, 4, 4], calm)).toBe("unaffected");
  expect(verdict(five(1), calm)).toBe("inconclusive");
});

test("a block that did not return leaves the others' figures, without NaN", () => {
  expect(verdict([4, 4, 4, 4, Infinity], calm, { unanswered: 0.02 })).toBe("inconclusive");
  expect(verdict([6, 6, Infinity, Infinity, Infinity], calm, { unanswered: 0.04 })).toBe("degraded");
});

test("under 5 blocks the estimate decides", () => {
  expect(verdict([5000], [4])).toBe("unacceptable");
  expect(verdict([90, 120, 130], [4, 4, 4])).toBe("abnormal");
  expect(verdict([4, 4.5, 9], [4, 4, 4])).toBe("unaffected");
  expect(verdict([9, 9], [4, 4])).toBe("degraded");
});

test("every evidence has a verdict, and a slower phase never a milder one", () => {
  const severity = ["unaffected", "inconclusive", "degraded", "abnormal", "unacceptable", "did-not-return"];
  const value = fc.oneof(fc.double({ noNaN: true, min: 4, max: 3000 }), fc.constant(Infinity));
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 9 }),
      fc.double({ noNaN: true, min: 1, max: 100 }),
      (phases, factor) => {
        const references = phases.map(() => 4);
        const verdicts = [phases, phases.map((ms) => ms * factor)].map((values) => verdict(values, references));
        expect(VERDICTS).toContain(verdicts[0]);
        expect(severity.indexOf(verdicts[1] ?? "")).toBeGreaterThanOrEqual(severity.indexOf(verdicts[0] ?? ""));
      },
    ),
  );
});

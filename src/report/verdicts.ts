import type { Comparison, Result } from "../model/result.ts";
import { formatCount } from "./format.ts";

export type Verdict = Comparison["verdict"];

interface VerdictStyle {
  word: string;
  /** What it claims, in a few words. */
  meaning: (thresholds: Result["thresholds"]) => string;
  /** Told apart by its shape as well as by its colour. */
  mark: string;
  /** 0 is best. */
  severity: number;
}

/** The words of verdicts and what they claim; order as they are decided, first match wins. */
export const VERDICT_STYLES: Readonly<Record<Verdict, VerdictStyle>> = {
  "did-not-return": {
    word: "did not return",
    meaning: () => "more than 5 % of the requests got no answer",
    mark: "✕",
    severity: 6,
  },
  unacceptable: {
    word: "unacceptable",
    meaning: ({ unacceptableMs }) =>
      `the whole interval of the 95th percentile is over ${formatCount(unacceptableMs)} ms`,
    mark: "■",
    severity: 5,
  },
  abnormal: {
    word: "abnormal",
    meaning: ({ abnormalMs }) => `the whole interval of the 95th percentile is over ${formatCount(abnormalMs)} ms`,
    mark: "▲",
    severity: 4,
  },
  unaffected: {
    word: "unaffected",
    meaning: () => "within the spread of reference against reference",
    mark: "●",
    severity: 1,
  },
  degraded: {
    word: "degraded",
    meaning: () => "slower than the spread of reference against reference explains",
    mark: "◆",
    severity: 3,
  },
  inconclusive: {
    word: "inconclusive",
    meaning: () => "the interval leaves more than one answer open",
    mark: "○",
    severity: 2,
  },
  reference: {
    word: "reference",
    meaning: () => "nothing else runs; the others are compared with it",
    mark: "–",
    severity: 0,
  },
};

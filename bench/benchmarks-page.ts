import type { Row } from "./row.ts";
import { benchTable } from "./table.ts";

/** What a bench measured when it was last written down. */
export interface WrittenBench {
  /** Day of the measurement, such as `2026-11-24`. */
  measuredOn: string;
  /** What it was measured on, a fact per item. */
  machine: string[];
  rows: Row[];
}

/** docs/benchmarks.md: a section for each bench, in the order of the record. */
export function benchmarksPage(written: Record<string, WrittenBench>): string {
  const sections = Object.entries(written).map(
    ([name, { measuredOn, machine, rows }]) =>
      `## ${name}\n\n${benchTable(rows)}\n\nMeasured on ${measuredOn}: ${machine.join("; ")}.\n`,
  );
  return [PREFACE, ...sections].join("\n");
}

const PREFACE = `# Benchmarks

Written by \`npm run bench -- [NAME…] --write\` from docs/benchmarks.json, which keeps each bench's last written figures. Readings of both sides are taken in turn, at least ten pairs after one that warms up. \`ours\` and \`theirs\` are medians, \`ratio\` is the median of the pairs' ratios, the interval is the one between order statistics (97.9 % for ten pairs), and a row is met only if the interval's worse end passes. For times the ratio is theirs over ours where a speed is asked for.
`;

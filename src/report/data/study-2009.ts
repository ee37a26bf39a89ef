import { IBS2007_CSV } from "./ibs2007.ts";
import { TX2009_ANNEX_CSV } from "./tx2009-annex.ts";

/** Figures of a row of the annex table, ms; null: timed out (printed TO). */
export interface AnnexFigures {
  min: number | null;
  mean: number | null;
  sd: number | null;
  median: number | null;
  p95: number | null;
  max: number | null;
}

export const ANNEX_FIGURES = ["min", "mean", "sd", "median", "p95", "max"] as const;
export const ANNEX_COLUMNS = [
  "figure",
  "platform",
  "load",
  "target",
  "requests",
  "concurrency",
  ...ANNEX_FIGURES,
] as const;

export interface StudyRow extends AnnexFigures {
  figure: number;
  platform: "native" | "xen";
  load: string;
  target: string;
  requests: number | null;
  concurrency: number | null;
}

/** A row of the Isolation Benchmark Suite's own table, as printed. */
export interface SuiteRow {
  stress: string;
  cells: { system: string; good: string; bad: string }[];
}

/** What was published before, to be shown beside what was measured now. */
export interface Study2009 {
  annex: StudyRow[];
  suite: SuiteRow[];
}

export const STUDY_2009: Study2009 = { annex: parseAnnex(TX2009_ANNEX_CSV), suite: parseSuite(IBS2007_CSV) };

function parseAnnex(csv: string): StudyRow[] {
  return records(csv).map((record) => {
    const figure = (name: string): number | null =>
      record[name] === "TO" || record[name] === "" ? null : Number(record[name]);
    return {
      figure: Number(record["figure"]),
      platform: record["platform"] === "xen" ? "xen" : "native",
      load: record["load"] ?? "",
      target: record["target"] ?? "",
      requests: figure("requests"),
      concurrency: figure("concurrency"),
      min: figure("min"),
      mean: figure("mean"),
      sd: figure("sd"),
      median: figure("median"),
      p95: figure("p95"),
      max: figure("max"),
    };
  });
}

function parseSuite(csv: string): SuiteRow[] {
  return records(csv).map((record) => ({
    stress: record["stress"] ?? "",
    cells: ["vmware", "xen", "openvz"].map((system) => ({
      system,
      good: record[`${system}_good`] ?? "",
      bad: record[`${system}_bad`] ?? "",
    })),
  }));
}

function records(csv: string): Record<string, string>[] {
  const [head = "", ...lines] = csv.trim().split("\n");
  const names = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""]));
  });
}

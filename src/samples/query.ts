import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { LabError } from "../model/error.ts";
import type { Trial } from "../model/result.ts";
import { ERROR_KINDS, type Ecdf } from "../model/samples.ts";

type TrialKey = Pick<Trial, "id" | "platform" | "phase" | "valid">;

interface QueryOptions {
  /** For DuckDB; the process itself comes on top. */
  memoryLimitMiB?: number;
  threads?: number;
}

const OK = ERROR_KINDS.indexOf("none");
const TIMEOUT = ERROR_KINDS.indexOf("timeout");
const CUT_OFF = ERROR_KINDS.indexOf("cut-off");

/** Shares at which a curve gets its points: denser from 90 % on, and again from 99 % and 99.9 % on. */
export const ECDF_SHARES: readonly number[] = [
  ...steps(0, 0.9, 90),
  ...steps(0.9, 0.99, 45),
  ...steps(0.99, 0.999, 45),
  ...steps(0.999, 1, 20),
  1,
];

/** File of a trial's samples in a run folder. */
export function samplesPath(runFolder: string, trialId: string): string {
  return join(runFolder, "samples", `${trialId}.parquet`);
}

/**
 * The curves of every `probe:` reading, one per platform and phase, over the valid trials' samples in a run folder.
 * A point is the smallest latency that at least that share of the answered requests did not exceed (the inverse of the
 * empirical distribution function; type 1 of Hyndman & Fan, The American Statistician 50, 1996): always a latency that
 * was measured. Latency counts from when the request was due. One query per platform and phase bounds the memory.
 * Throws LabError when a valid trial has no samples file.
 */
export async function probeEcdfs(
  runFolder: string,
  trials: readonly TrialKey[],
  options: QueryOptions = {},
): Promise<Ecdf[]> {
  const groups = new Map<string, TrialKey[]>();
  for (const trial of trials) {
    if (!trial.valid) continue;
    const key = `${trial.platform} ${trial.phase}`;
    groups.set(key, [...(groups.get(key) ?? []), trial]);
  }
  if (groups.size === 0) return [];
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${options.memoryLimitMiB ?? 512}MiB`,
    threads: String(options.threads ?? 2),
    temp_directory: "",
    preserve_insertion_order: "false",
  });
  try {
    const connection = await instance.connect();
    try {
      const curves: Ecdf[] = [];
      for (const group of groups.values()) curves.push(...(await groupEcdfs(connection, runFolder, group)));
      return curves;
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

async function groupEcdfs(connection: DuckDBConnection, runFolder: string, trials: TrialKey[]): Promise<Ecdf[]> {
  const [first] = trials;
  if (first === undefined) return [];
  const reader = await connection.runAndReadAll(ecdfQuery(trials.map((trial) => presentFile(runFolder, trial))));
  return reader.getRowObjectsJson().map((row) => toEcdf(row, first));
}

function presentFile(runFolder: string, trial: TrialKey): string {
  const path = samplesPath(runFolder, trial.id);
  if (existsSync(path)) return path;
  throw new LabError(`${path} is missing: the samples of trial ${trial.id}`, {
    hint: "bring the run folder's samples back, or run the experiment again",
  });
}

function ecdfQuery(paths: string[]): string {
  const files = paths.map(quote).join(", ");
  // As `summarizeRequests` counts: an answer that says that something is wrong is none.
  const answered = `filter (error = ${OK} and status between 200 and 299)`;
  return `
    select reading,
           count(distinct filename) as trials,
           count(*) as requests,
           count(*) ${answered} as ok,
           count(*) filter (error = ${TIMEOUT}) as timeouts,
           quantile_disc((startNs - intendedNs + totalNs) / 1e6, [${ECDF_SHARES.join(", ")}]) ${answered} as ms
    from read_parquet([${files}], filename = true)
    where reading like 'probe:%' and error <> ${CUT_OFF}
    group by reading order by reading`;
}

/** As an SQL string that names one file: DuckDB expands `*`, `?` and `[` in it. */
function quote(path: string): string {
  return `'${path.replaceAll(/[*?[]/g, "[$&]").replaceAll("'", "''")}'`;
}

function toEcdf(row: Record<string, unknown>, of: TrialKey): Ecdf {
  const requests = Number(row["requests"]);
  const ok = Number(row["ok"]);
  const timeouts = Number(row["timeouts"]);
  const latencies = Array.isArray(row["ms"]) ? row["ms"].map(Number) : [];
  const points: Ecdf["points"] = [];
  for (const [index, ms] of latencies.entries()) {
    const share = ((ECDF_SHARES[index] ?? 1) * ok) / requests;
    const last = points.at(-1);
    if (last?.ms === ms) last.share = share;
    else points.push({ ms, share });
  }
  return {
    platform: of.platform,
    phase: of.phase,
    reading: String(row["reading"]),
    trials: Number(row["trials"]),
    requests,
    ok,
    timeouts,
    failed: requests - ok - timeouts,
    points,
  };
}

function steps(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, step) => Number((from + ((to - from) * step) / count).toFixed(6)));
}

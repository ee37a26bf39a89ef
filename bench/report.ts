import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderCsv } from "../src/report/csv.ts";
import { STUDY_2009 } from "../src/report/data/study-2009.ts";
import { fixtureResult } from "../src/report/fixture.ts";
import { renderHtml } from "../src/report/html-report.ts";
import { resultSchema, type Trial } from "../src/model/result.ts";
import type { Samples } from "../src/model/samples.ts";
import { probeEcdfs, samplesPath } from "../src/samples/query.ts";
import { writeSamples } from "../src/samples/write-samples.ts";
import { limitRow } from "./pairs.ts";
import type { Bench, Row } from "./row.ts";

const SAMPLES = 5_000_000;
const READINGS = 10;
const TIME_LIMIT_S = 15;
const MEMORY_LIMIT_GIB = 1;
const CHILD_DEADLINE_MS = 120_000;

/**
 * A report from 5 million requests, all of them the probe's in valid trials: the worst case, because a flood's rows are
 * passed over. Each reading is a process of its own, from its start to its end, with its peak resident memory.
 */
export async function reportBench(say: Parameters<Bench>[0] = () => {}): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "cloison-bench-report-"));
  try {
    say(`writing ${SAMPLES} samples`);
    await writeRun(folder);
    const seconds: number[] = [];
    const gibibytes: number[] = [];
    for (let reading = -1; reading < READINGS; reading++) {
      const taken = await measure(folder);
      // The first one warms up the page cache.
      if (reading < 0) continue;
      say(`${taken.seconds.toFixed(2)} s, ${taken.gibibytes.toFixed(2)} GiB`);
      seconds.push(taken.seconds);
      gibibytes.push(taken.gibibytes);
    }
    const name = "report from 5 million samples";
    return [
      limitRow({ name: `${name}, time`, unit: "s" }, TIME_LIMIT_S, seconds),
      limitRow({ name: `${name}, peak memory`, unit: "GiB" }, MEMORY_LIMIT_GIB, gibibytes),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a child process does: everything from the run folder to the finished files. Prints its peak memory in KiB. */
export async function reportOnce(folder: string): Promise<void> {
  const result = resultSchema.parse(JSON.parse(await readFile(join(folder, "result.json"), "utf8")));
  const ecdfs = await probeEcdfs(folder, result.trials);
  const requests = ecdfs.reduce((sum, curve) => sum + curve.requests, 0);
  if (requests !== SAMPLES) throw new Error(`the report is made from ${requests} samples, not from ${SAMPLES}`);
  await writeFile(join(folder, "report.html"), renderHtml(result, ecdfs, STUDY_2009));
  await writeFile(join(folder, "table.csv"), renderCsv(result));
  console.log(process.resourceUsage().maxRSS);
}

async function measure(folder: string): Promise<{ seconds: number; gibibytes: number }> {
  const program = `(await import(${JSON.stringify(import.meta.url)})).reportOnce(${JSON.stringify(folder)})`;
  const started = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, "--input-type=module", "--eval", `await ${program}`], {
    stdio: ["ignore", "pipe", "inherit"],
    timeout: CHILD_DEADLINE_MS,
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  if (code !== 0) throw new Error(`the report's process ended with ${code}`);
  return { seconds: (performance.now() - started) / 1000, gibibytes: Number(output) / 2 ** 20 };
}

async function writeRun(folder: string): Promise<void> {
  const result = fixtureResult();
  const valid = result.trials.filter((trial) => trial.valid);
  await mkdir(join(folder, "samples"));
  await writeFile(join(folder, "result.json"), JSON.stringify(result));
  for (const [index, trial] of valid.entries()) {
    const rows = Math.floor((SAMPLES * (index + 1)) / valid.length) - Math.floor((SAMPLES * index) / valid.length);
    const samples = [{ reading: "probe:apache1", samples: latencies(trial, rows, index) }];
    await writeSamples(samplesPath(folder, trial.id), samples);
  }
}

/** Latencies that no encoding finds easy: all different, spread over four decades. */
function latencies(trial: Trial, rows: number, seed: number): Samples {
  const intendedNs = Float64Array.from({ length: rows }, (_, row) => row * 10_000_000);
  const totalNs = Float64Array.from({ length: rows }, (_, row) => {
    const share = ((row * 7919 + seed * 104_729) % rows) / rows;
    return Math.round(300_000 * 10 ** (4 * share) + row);
  });
  return {
    intendedNs,
    startNs: intendedNs.map((due, row) => due + (row % 997) * 100),
    connectNs: totalNs.map((total) => Math.round(total / 7)),
    firstByteNs: totalNs.map((total) => Math.round(total * 0.9)),
    totalNs,
    status: new Uint16Array(rows).fill(trial.valid ? 200 : 0),
    bytes: new Float64Array(rows).fill(177),
    error: new Uint8Array(rows),
  };
}

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { samplesOf } from "./fixture.ts";
import { writeSamples } from "./write-samples.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cloison-samples-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function read(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJS();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

describe("writing a trial's samples", () => {
  it("gives back every column of every row, in order", async () => {
    const path = join(folder, "1-shared-reference-1.parquet");
    await writeSamples(path, [
      { reading: "probe:apache1", samples: samplesOf([1.25, "timeout", 3]) },
      { reading: "floor:outside", samples: samplesOf([]) },
      { reading: "flood:apache2", samples: samplesOf(["cut-off"]) },
    ]);
    const rows = await read(`select * from '${path}'`);
    const none = { connectNs: -1, firstByteNs: -1, totalNs: -1, status: 0, bytes: 0 };
    const answered = { connectNs: 90_000, status: 200, bytes: 177, error: 0, reading: "probe:apache1" };
    expect(rows).toEqual([
      { ...answered, intendedNs: 0, startNs: 1000, firstByteNs: 1_249_000, totalNs: 1_249_000 },
      { ...none, reading: "probe:apache1", intendedNs: 1e6, startNs: 1_001_000, error: 1 },
      { ...answered, intendedNs: 2e6, startNs: 2_001_000, firstByteNs: 2_999_000, totalNs: 2_999_000 },
      { ...none, reading: "flood:apache2", intendedNs: 0, startNs: 1000, error: 9 },
    ]);
  });

  it("keeps 300,000 rows exactly, over several row groups, in less than 24 bytes a row", async () => {
    const path = join(folder, "flood.parquet");
    const rows = 300_000;
    const samples = samplesOf(Array.from({ length: rows }, (_, row) => 1 + ((row * 7919) % 100_003) / 1000));
    await writeSamples(path, [{ reading: "flood:apache2", samples }]);
    const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0);
    const [back] = await read(`
      select count(*)::int as rows, sum(totalNs) as total, sum(intendedNs) as intended,
             arg_max(totalNs, intendedNs) as last from '${path}'`);
    expect(back).toEqual({
      rows,
      total: sum(samples.totalNs),
      intended: sum(samples.intendedNs),
      last: samples.totalNs.at(-1),
    });
    expect((await stat(path)).size).toBeLessThan(24 * rows);
  });

  it("refuses columns of different lengths, and writes nothing", async () => {
    const samples = { ...samplesOf([1, 2]), status: new Uint16Array(1) };
    const path = join(folder, "bad.parquet");
    await expect(writeSamples(path, [{ reading: "probe:a", samples }])).rejects.toThrow("column status has 1 rows");
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves nothing behind when the final name can't be taken", async () => {
    const path = join(folder, "taken.parquet");
    await mkdir(join(path, "in-the-way"), { recursive: true });
    await expect(writeSamples(path, [{ reading: "probe:a", samples: samplesOf([1]) }])).rejects.toThrow(
      /EISDIR|ENOTEMPTY/,
    );
    expect(await readdir(folder)).toEqual(["taken.parquet"]);
  });

  it("shows only whole files under final names, while it writes and after it was killed", async () => {
    const program = `
      import { samplesOf } from ${JSON.stringify(join(import.meta.dirname, "fixture.ts"))};
      import { writeSamples } from ${JSON.stringify(join(import.meta.dirname, "write-samples.ts"))};
      const samples = samplesOf(Array.from({ length: 20000 }, (_, row) => 1 + row % 97));
      for (let trial = 0; ; trial++)
        await writeSamples(${JSON.stringify(folder)} + "/" + (trial % 5) + ".parquet", [{ reading: "flood:a", samples }]);`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", program], {
      cwd: import.meta.dirname,
      stdio: "ignore",
    });
    const exited = new Promise((resolve) => child.once("exit", resolve));
    while (!(await readdir(folder)).includes("4.parquet")) {
      if (child.exitCode !== null) throw new Error(`the writer ended by itself: ${child.exitCode}`);
      await sleep(5);
    }
    const torn = new Set<string>();
    for (let look = 0; look < 2000; look++) {
      const name = `${look % 5}.parquet`;
      const bytes = await readFile(join(folder, name));
      if (bytes.subarray(-4).toString() !== "PAR1") torn.add(name);
    }
    child.kill("SIGKILL");
    await exited;
    expect([...torn]).toEqual([]);
    const finals = (await readdir(folder)).filter((name) => name.endsWith(".parquet"));
    expect(finals).toHaveLength(5);
    for (const name of finals) {
      expect(await read(`select count(*)::int as rows from '${join(folder, name)}'`)).toEqual([{ rows: 20_000 }]);
    }
  }, 30_000);
});

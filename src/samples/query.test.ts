import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorKind } from "../model/samples.ts";
import { samplesOf } from "./fixture.ts";
import { ECDF_SHARES, probeEcdfs, samplesPath } from "./query.ts";
import { writeSamples } from "./write-samples.ts";

let folder: string;
beforeEach(async () => {
  // A quote and a bracket: the path goes into SQL, where DuckDB also expands patterns.
  folder = await mkdtemp(join(tmpdir(), "cloison-query'[1]-"));
  await mkdir(join(folder, "samples"));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const trial = (id: string, phase: string, valid = true) => ({ id, platform: "shared" as const, phase, valid });

async function write(id: string, latencies: readonly (number | ErrorKind)[]): Promise<void> {
  await writeSamples(samplesPath(folder, id), [
    { reading: "probe:apache1", samples: samplesOf(latencies) },
    { reading: "floor:outside", samples: samplesOf([0.1]) },
    { reading: "flood:apache2", samples: samplesOf([5000]) },
  ]);
}

describe("the curve of a probe's latencies", () => {
  it("pools the valid trials of a phase and leaves invalid ones out", async () => {
    await write("1-shared-disk-1", [4, 1]);
    await write("1-shared-disk-2", [3, 2]);
    await write("2-shared-disk-1", [900]);
    const [curve, ...others] = await probeEcdfs(folder, [
      trial("1-shared-disk-1", "disk"),
      trial("1-shared-disk-2", "disk"),
      trial("2-shared-disk-1", "disk", false),
    ]);
    expect(others).toEqual([]);
    expect(curve).toEqual({
      platform: "shared",
      phase: "disk",
      reading: "probe:apache1",
      trials: 2,
      requests: 4,
      ok: 4,
      timeouts: 0,
      failed: 0,
      points: [
        { ms: 1, share: 0.25 },
        { ms: 2, share: 0.5 },
        { ms: 3, share: 0.75 },
        { ms: 4, share: 1 },
      ],
    });
  });

  it("ends below 1 by the share that got no answer, and does not count what was cut off", async () => {
    await write("1-shared-flood-1", [10, 20, "timeout", "reset", "cut-off"]);
    const [curve] = await probeEcdfs(folder, [trial("1-shared-flood-1", "flood")]);
    expect(curve).toMatchObject({ requests: 4, ok: 2, timeouts: 1, failed: 1 });
    expect(curve?.points.at(-1)).toEqual({ ms: 20, share: 0.5 });
  });

  it("counts an answer that tells of an error as failed, however fast it was", async () => {
    const samples = samplesOf([1, 20]);
    samples.status[0] = 503;
    await writeSamples(samplesPath(folder, "1-shared-full-1"), [{ reading: "probe:apache1", samples }]);
    expect(await probeEcdfs(folder, [trial("1-shared-full-1", "full")])).toMatchObject([
      { requests: 2, ok: 1, failed: 1, points: [{ ms: 20, share: 0.5 }] },
    ]);
  });

  it("has no points, but its counts, when nothing was answered", async () => {
    await write("1-shared-dead-1", ["timeout", "refused"]);
    expect(await probeEcdfs(folder, [trial("1-shared-dead-1", "dead")])).toMatchObject([
      { requests: 2, ok: 0, timeouts: 1, failed: 1, points: [] },
    ]);
  });

  it("takes latencies that were measured: the smallest that the share does not exceed", async () => {
    const latencies = Array.from({ length: 10_000 }, (_, row) => ((row * 7919) % 10_000) + 1);
    await write("1-shared-big-1", latencies);
    const [curve] = await probeEcdfs(folder, [trial("1-shared-big-1", "big")]);
    const at = (share: number): number | undefined => curve?.points.find((point) => point.share === share)?.ms;
    expect([at(0.5), at(0.95), at(0.99), at(0.999), at(1)]).toEqual([5000, 9500, 9900, 9990, 10_000]);
  });

  it("answers nothing for no trials, and names the file that a valid trial lacks", async () => {
    expect(await probeEcdfs(folder, [])).toEqual([]);
    await expect(probeEcdfs(folder, [trial("9-shared-gone-1", "gone")])).rejects.toThrow(
      "9-shared-gone-1.parquet is missing",
    );
  });

  it("asks for about 200 shares, ascending, the 95th and 99th percentile among them", () => {
    expect(ECDF_SHARES.length).toBeGreaterThan(190);
    expect(ECDF_SHARES).toEqual([...new Set(ECDF_SHARES)].toSorted((a, b) => a - b));
    for (const share of [0, 0.5, 0.95, 0.99, 0.999, 1]) expect(ECDF_SHARES).toContain(share);
  });
});

import { expect, test } from "vitest";
import type { Samples } from "../model/samples.ts";
import { ErrorCode, join, Recorder } from "./recorder.ts";

const columns = (samples: Samples): (Float64Array | Uint16Array | Uint8Array)[] =>
  Object.values(samples) as Float64Array[];

test("a row that gets no end is cut off, with nothing of what did not come", () => {
  const recorder = new Recorder();
  recorder.begin(5, 7);
  const samples = join(recorder.take());
  expect(samples).toEqual({
    intendedNs: Float64Array.of(5),
    startNs: Float64Array.of(7),
    connectNs: Float64Array.of(-1),
    firstByteNs: Float64Array.of(-1),
    totalNs: Float64Array.of(-1),
    status: Uint16Array.of(0),
    bytes: Float64Array.of(0),
    error: Uint8Array.of(ErrorCode["cut-off"]),
  });
});

test.each([0, 1, 65_535, 65_536, 65_537, 140_000])("%d rows come out as they went in, over all blocks", (rows) => {
  const recorder = new Recorder();
  for (let i = 0; i < rows; i++) {
    const row = recorder.begin(i, i + 1);
    recorder.connected(row, i + 2);
    recorder.firstByte(row, i + 3);
    recorder.total(row, i + 4);
    recorder.answer(row, 200 + (i % 7), i + 5);
    recorder.end(row, i % 5);
  }
  const samples = join(recorder.take());
  expect(columns(samples).map((column) => column.length)).toEqual(Array.from({ length: 8 }, () => rows));
  for (const i of [0, 65_535, 65_536, rows - 1].filter((row) => row >= 0 && row < rows)) {
    expect(columns(samples).map((column) => column[i])).toEqual([
      i,
      i + 1,
      i + 2,
      i + 3,
      i + 4,
      200 + (i % 7),
      i + 5,
      i % 5,
    ]);
  }
});

import { constants, gzipSync } from "node:zlib";
import { ByteWriter, ParquetWriter, schemaFromColumnData, type ColumnSource } from "hyparquet-writer";
import type { Samples } from "../model/samples.ts";

/** One reading of a trial, and the label that its rows carry: `probe:apache1`, `floor:outside`, `flood:apache2`, `annex:apache1:2`. */
export interface LabelledSamples {
  reading: string;
  samples: Samples;
}

/** Times and bytes are whole numbers below 2^53, which a double holds exactly. */
const DOUBLE_COLUMNS = ["intendedNs", "startNs", "connectNs", "firstByteNs", "totalNs", "bytes"] as const;
const INTEGER_COLUMNS = ["status", "error"] as const;

/** Row groups hold one reading each, so that a reader of the probe's rows passes over the flood's. */
const ROWS_PER_GROUP = 122_880;

/**
 * A Parquet file of one trial's requests: column `reading`, then those of `Samples`, rows in the order given.
 * Doubles are split into byte streams before gzip: 500,000 rows take 0.3 s and 8 MB, against 14 MB plain.
 * Rejects when the columns of a reading differ in length.
 */
export async function encodeSamples(readings: readonly LabelledSamples[]): Promise<Uint8Array> {
  const writer = new ByteWriter(1 << 20);
  const parquet = new ParquetWriter({
    writer,
    schema: schemaFromColumnData({ columnData: columnsOf({ reading: "", samples: noSamples() }) }),
    codec: "GZIP",
    compressors: { GZIP: (bytes) => gzipSync(bytes, { level: constants.Z_BEST_SPEED }) },
    createdBy: "cloison",
  });
  for (const reading of readings) {
    await parquet.write({ columnData: columnsOf(reading), rowGroupSize: ROWS_PER_GROUP });
  }
  await parquet.finish();
  return writer.getBytes();
}

function columnsOf({ reading, samples }: LabelledSamples): ColumnSource[] {
  const rows = samples.error.length;
  const labels = Array.from({ length: rows }, () => reading);
  const columns: ColumnSource[] = [{ name: "reading", data: labels, type: "STRING", nullable: false }];
  for (const name of DOUBLE_COLUMNS) {
    columns.push({ name, data: samples[name], type: "DOUBLE", nullable: false, encoding: "BYTE_STREAM_SPLIT" });
  }
  for (const name of INTEGER_COLUMNS) {
    columns.push({ name, data: Int32Array.from(samples[name]), type: "INT32", nullable: false });
  }
  for (const column of columns) {
    if (column.data.length !== rows) {
      throw new Error(`samples of ${reading}: column ${column.name} has ${column.data.length} rows, error has ${rows}`);
    }
  }
  return columns;
}

function noSamples(): Samples {
  const none = new Float64Array(0);
  return {
    intendedNs: none,
    startNs: none,
    connectNs: none,
    firstByteNs: none,
    totalNs: none,
    status: new Uint16Array(0),
    bytes: none,
    error: new Uint8Array(0),
  };
}

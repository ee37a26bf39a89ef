import { ERROR_KINDS, type ErrorKind, type Samples } from "../model/samples.ts";

/** Rows of a block: 3.3 MB. A reading grows by blocks, so that the loop never stands still to copy columns. */
const BLOCK_BITS = 16;
const BLOCK_ROWS = 1 << BLOCK_BITS;

/** Numbers of the error kinds, as the column holds them. */
export const ErrorCode = Object.fromEntries(ERROR_KINDS.map((kind, index) => [kind, index])) as Record<
  ErrorKind,
  number
>;

/** Requests being recorded, a row each in the order they began. */
export class Recorder {
  private readonly blocks: Samples[] = [];
  rows = 0;

  /** Adds a row and returns its number; everything that has not come yet is -1, and the request is `cut-off` until it ends. */
  begin(intendedNs: number, startNs: number): number {
    const row = this.rows++;
    const at = row & (BLOCK_ROWS - 1);
    if (at === 0) this.blocks.push(allocate(BLOCK_ROWS));
    const block = this.block(row);
    block.intendedNs[at] = intendedNs;
    block.startNs[at] = startNs;
    block.connectNs[at] = -1;
    block.firstByteNs[at] = -1;
    block.totalNs[at] = -1;
    block.error[at] = ErrorCode["cut-off"];
    return row;
  }

  intendedNs(row: number): number {
    return this.block(row).intendedNs[row & (BLOCK_ROWS - 1)] ?? 0;
  }

  connected(row: number, ns: number): void {
    this.block(row).connectNs[row & (BLOCK_ROWS - 1)] = ns;
  }

  firstByte(row: number, ns: number): void {
    this.block(row).firstByteNs[row & (BLOCK_ROWS - 1)] = ns;
  }

  total(row: number, ns: number): void {
    this.block(row).totalNs[row & (BLOCK_ROWS - 1)] = ns;
  }

  answer(row: number, status: number, bytes: number): void {
    const block = this.block(row);
    block.status[row & (BLOCK_ROWS - 1)] = status;
    block.bytes[row & (BLOCK_ROWS - 1)] = bytes;
  }

  end(row: number, error: number): void {
    this.block(row).error[row & (BLOCK_ROWS - 1)] = error;
  }

  /** All rows; the blocks are the recorder's own, but for the last one, which is cut to its rows. */
  take(): Samples[] {
    const rest = this.rows & (BLOCK_ROWS - 1);
    return this.blocks.map((block, i) => (rest > 0 && i === this.blocks.length - 1 ? firstRows(block, rest) : block));
  }

  private block(row: number): Samples {
    // Invariant: a row's block exists from `begin` on.
    return this.blocks[row >>> BLOCK_BITS]!;
  }
}

function allocate(rows: number): Samples {
  return {
    intendedNs: new Float64Array(rows),
    startNs: new Float64Array(rows),
    connectNs: new Float64Array(rows),
    firstByteNs: new Float64Array(rows),
    totalNs: new Float64Array(rows),
    status: new Uint16Array(rows),
    bytes: new Float64Array(rows),
    error: new Uint8Array(rows),
  };
}

function firstRows(block: Samples, rows: number): Samples {
  const cut = allocate(rows);
  for (const column of COLUMNS) cut[column].set(block[column].subarray(0, rows));
  return cut;
}

/** Blocks one behind the other. */
export function join(blocks: readonly Samples[]): Samples {
  const whole = allocate(blocks.reduce((rows, block) => rows + block.error.length, 0));
  let at = 0;
  for (const block of blocks) {
    for (const column of COLUMNS) whole[column].set(block[column], at);
    at += block.error.length;
  }
  return whole;
}

const COLUMNS = Object.keys(allocate(0)) as (keyof Samples)[];

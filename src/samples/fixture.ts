import { ERROR_KINDS, type ErrorKind, type Samples } from "../model/samples.ts";

/** Made-up requests for tests: one per latency, 1 ms apart; a word instead of a latency is how the request ended. */
export function samplesOf(latenciesMs: readonly (number | ErrorKind)[]): Samples {
  const rows = latenciesMs.length;
  const samples: Samples = {
    intendedNs: new Float64Array(rows),
    startNs: new Float64Array(rows),
    connectNs: new Float64Array(rows),
    firstByteNs: new Float64Array(rows),
    totalNs: new Float64Array(rows),
    status: new Uint16Array(rows),
    bytes: new Float64Array(rows),
    error: new Uint8Array(rows),
  };
  for (const [row, latency] of latenciesMs.entries()) {
    const answered = typeof latency === "number";
    const totalNs = answered ? latency * 1e6 - 1000 : -1;
    samples.intendedNs[row] = row * 1e6;
    samples.startNs[row] = row * 1e6 + 1000;
    samples.connectNs[row] = Math.min(totalNs, 90_000);
    samples.firstByteNs[row] = totalNs;
    samples.totalNs[row] = totalNs;
    samples.status[row] = answered ? 200 : 0;
    samples.bytes[row] = answered ? 177 : 0;
    samples.error[row] = ERROR_KINDS.indexOf(answered ? "none" : latency);
  }
  return samples;
}

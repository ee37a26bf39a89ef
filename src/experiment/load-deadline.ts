import type { Host } from "../host/host.ts";
import type { LoadResult, RunningLoad } from "../load/load.ts";
import { LabError } from "../model/error.ts";

/** What a client may take beyond what its job can last, on a machine that is busy being measured, ms. */
export const CLIENT_SLACK_MS = 30_000;

/**
 * The load's result, waited for no longer than a client that works can take.
 * @throws LabError naming the load when its client broke, or does not answer; the signal's reason when it comes
 */
export async function resultWithin(
  host: Host,
  name: string,
  load: RunningLoad,
  limitMs: number,
  signal?: AbortSignal,
): Promise<LoadResult> {
  const over = new AbortController();
  const ends = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const late = host.clock.sleep(limitMs, ends).then(() => {
    throw new LabError(`its client did not answer within ${Math.round(limitMs / 1000)} s`);
  });
  try {
    return await Promise.race([load.result, late]);
  } catch (error) {
    if (!(error instanceof LabError) || signal?.aborted) throw error;
    throw new LabError(`${name}: ${error.message}`, { cause: error });
  } finally {
    over.abort();
  }
}

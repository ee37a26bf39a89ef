import type { Trial } from "../model/result.ts";
import { type ProbeMetric, type ProbeValue, probeKey, probeValues } from "./probe-value.ts";

/** What of a trial enters a comparison. */
export type ComparableTrial = Pick<Trial, "block" | "platform" | "phase" | "valid" | "readings">;

/** One probe of an experiment, as its rows name it. */
export interface ProbeIdentity {
  key: string;
  metric: ProbeMetric;
  /** The domain; with its path where one domain has several HTTP probes. */
  target: string;
}

/** Values of one probe in one phase of one platform, by block. */
export type Series = ReadonlyMap<number, ProbeValue>;

const METRIC_ORDER: readonly ProbeMetric[] = ["http p95", "connect p95", "ping p95", "transfer total"];

/** The valid trials' probe values. Of several valid trials of one block, platform and phase the first counts. */
export class ProbeSeries {
  readonly #values = new Map<string, Map<number, ProbeValue>>();
  readonly #probes = new Map<string, ProbeValue>();

  constructor(trials: readonly ComparableTrial[]) {
    for (const trial of trials) {
      if (!trial.valid) continue;
      for (const value of probeValues(trial.readings)) {
        const key = probeKey(value);
        if (!this.#probes.has(key)) this.#probes.set(key, value);
        const seriesKey = ProbeSeries.#seriesKey(trial.platform, trial.phase, key);
        const series = this.#values.get(seriesKey) ?? new Map<number, ProbeValue>();
        if (!series.has(trial.block)) series.set(trial.block, value);
        this.#values.set(seriesKey, series);
      }
    }
  }

  static #seriesKey(platform: string, phase: string, key: string): string {
    return JSON.stringify([platform, phase, key]);
  }

  /** By metric, then by target. */
  probes(): ProbeIdentity[] {
    const values = [...this.#probes.values()];
    const identity = ({ metric, target, path }: ProbeValue): ProbeIdentity => {
      const ambiguous = values.filter((other) => other.metric === metric && other.target === target).length > 1;
      return { key: probeKey({ metric, target, path }), metric, target: ambiguous ? `${target}${path ?? ""}` : target };
    };
    return values
      .map(identity)
      .toSorted(
        (a, b) =>
          METRIC_ORDER.indexOf(a.metric) - METRIC_ORDER.indexOf(b.metric) ||
          (a.target < b.target ? -1 : Number(a.target > b.target)),
      );
  }

  series(platform: string, phase: string, probe: ProbeIdentity): Series {
    return this.#values.get(ProbeSeries.#seriesKey(platform, phase, probe.key)) ?? new Map<number, ProbeValue>();
  }
}

/** The blocks that both series have, in order: `value` against `other`. */
export function pairByBlock(values: Series, others: Series): { block: number; value: ProbeValue; other: ProbeValue }[] {
  return [...values]
    .flatMap(([block, value]) => {
      const other = others.get(block);
      return other === undefined ? [] : [{ block, value, other }];
    })
    .toSorted((a, b) => a.block - b.block);
}

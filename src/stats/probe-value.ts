import type { Reading } from "../model/result.ts";
import type { Engine } from "../model/samples.ts";

/** What a verdict is about. */
export type ProbeMetric = "http p95" | "ping p95" | "connect p95" | "transfer total";

/** The one number that a probe's reading contributes to a trial's comparison. */
export interface ProbeValue {
  metric: ProbeMetric;
  target: string;
  /** HTTP only; tells two probes of one target apart. */
  path: string | null;
  engine: Engine;
  /** +Infinity: more than 5 % went unanswered, so that the 95th percentile is among them. */
  valueMs: number;
  requests: number;
  /** Requests without a good answer in time. */
  unanswered: number;
}

/** The values of a trial's probes (role `probe`; not the annex's, the floor's or the loads'). Readings without requests have none. */
export function probeValues(readings: readonly Reading[]): ProbeValue[] {
  return readings.flatMap((reading) => probeValue(reading) ?? []).filter((value) => value.requests > 0);
}

function probeValue(reading: Reading): ProbeValue | null {
  if (reading.role !== "probe") return null;
  const { target, engine } = reading;
  switch (reading.metric) {
    case "http": {
      const { requests, failed, timeouts, path } = reading;
      const valueMs = reading.p95WithFailures ?? Infinity;
      return { metric: "http p95", target, path, engine, valueMs, requests, unanswered: failed + timeouts };
    }
    case "connect": {
      const { requests, failed, timeouts } = reading;
      const valueMs = reading.p95WithFailures ?? Infinity;
      return { metric: "connect p95", target, path: null, engine, valueMs, requests, unanswered: failed + timeouts };
    }
    case "ping": {
      const valueMs = reading.p95WithFailures ?? Infinity;
      return {
        metric: "ping p95",
        target,
        path: null,
        engine,
        valueMs,
        requests: reading.sent,
        unanswered: reading.lost,
      };
    }
    case "transfer": {
      const valueMs = reading.ok && reading.totalMs !== null ? reading.totalMs : Infinity;
      const unanswered = reading.ok ? 0 : 1;
      return { metric: "transfer total", target, path: null, engine, valueMs, requests: 1, unanswered };
    }
  }
}

/** The same probe in two trials has the same key. */
export function probeKey({ metric, target, path }: Pick<ProbeValue, "metric" | "target" | "path">): string {
  return JSON.stringify([metric, target, path]);
}

/** How sentences name a probe: `http p95 of apache1`. */
export function probeName({ metric, target, path }: Pick<ProbeValue, "metric" | "target" | "path">): string {
  return `${metric} of ${target}${path === null || path === "/index.html" ? "" : path}`;
}

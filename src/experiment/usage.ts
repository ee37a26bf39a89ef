import type { Trial } from "../model/result.ts";
import type { DomainUsage } from "../platforms/platform.ts";

/** What domains used between two readings of their counters. Peaks are as last read: since the domain was made. */
export function usageBetween(before: Map<string, DomainUsage>, after: Map<string, DomainUsage>): Trial["usage"] {
  const grown = (from: number | null | undefined, to: number | null) => {
    if (to === null) return null;
    // A domain that was made anew in between counts from 0 again.
    return from === null || from === undefined || from > to ? to : to - from;
  };
  return Object.fromEntries(
    [...after].map(([name, now]) => {
      const then = before.get(name);
      return [
        name,
        {
          cpuNs: grown(then?.cpuNs, now.cpuNs),
          memoryPeakBytes: now.memoryPeakBytes,
          oomKills: grown(then?.oomKills, now.oomKills),
          pidsPeak: now.pidsPeak,
          nrPeriods: grown(then?.nrPeriods, now.nrPeriods),
          nrThrottled: grown(then?.nrThrottled, now.nrThrottled),
          throttledNs: grown(then?.throttledNs, now.throttledNs),
        },
      ];
    }),
  );
}

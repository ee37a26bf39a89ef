import type { Ecdf } from "../model/samples.ts";
import { FIXTURE_PHASES, normalQuantile, PLATFORMS, PROBE_REQUESTS, SCENE } from "./fixture-scene.ts";

/** Curves whose quantiles agree with the fixture's figures: log-normal, cut where answers stop. */
export function fixtureEcdfs(): Ecdf[] {
  return PLATFORMS.flatMap((platform) =>
    FIXTURE_PHASES.map((phase) => {
      const { median, p95, lost } = SCENE[platform][phase];
      const sigma = Math.log((Number.isFinite(p95) ? p95 : 3400) / median) / 1.645;
      const requests = PROBE_REQUESTS * 5;
      const timeouts = Math.round(requests * lost);
      const ok = requests - timeouts;
      const points = Array.from({ length: 200 }, (_, step) => {
        const share = step === 199 ? 0.9995 : (step + 0.5) / 200;
        return {
          ms: Math.max(0.4 * median, median * Math.exp(sigma * normalQuantile(share))),
          share: ((step === 199 ? 1 : share) * ok) / requests,
        };
      });
      return { platform, phase, reading: "probe:apache1", trials: 5, requests, ok, timeouts, failed: 0, points };
    }),
  );
}

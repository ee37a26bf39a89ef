import type { Comparison, Reading, Result, Trial } from "../model/result.ts";
import {
  fixtureCalibration,
  CPU_BOMBS,
  FIXTURE_PHASES,
  fixtureEnvironment,
  FLOODS,
  generator,
  PLATFORMS,
  PROBE_REQUESTS,
  SCENE,
  shuffled,
  VERDICT,
  type PhaseName,
} from "./fixture-scene.ts";

/** A made-up run of the study for tests, with every kind of verdict, an invalid trial, an infinite p95 and a load that did not return. */

interface FixtureOptions {
  blocks?: number;
  /** Makes the whole run invalid. */
  invalid?: boolean;
}

export function fixtureResult({ blocks = 5, invalid = false }: FixtureOptions = {}): Result {
  const random = generator(20091);
  const trials: Trial[] = [];
  for (let block = 1; block <= blocks; block++) {
    for (const platform of shuffled(PLATFORMS, random)) {
      for (const phase of shuffled(FIXTURE_PHASES, random)) {
        const disturbed = block === 3 && platform === "container" && phase === "flood-500";
        if (disturbed) trials.push(fixtureTrial(trials.length, block, platform, phase, 1, random));
        trials.push(fixtureTrial(trials.length, block, platform, phase, disturbed ? 2 : 1, random));
      }
    }
  }
  for (const trial of trials) {
    if (trial.block !== 3 || trial.platform !== "container" || trial.phase !== "flood-500" || trial.attempt !== 1)
      continue;
    trial.valid = false;
    trial.stealShare = 0.034;
    trial.reasons = [
      "the host stole 3.4 % of the CPU time (limit 1 %)",
      "the floor moved: p95 of the idle responder 2.9 ms above the reference’s (limit 2 ms)",
    ];
  }
  return {
    schema: "cloison.result/1",
    name: "study",
    seed: 20091207,
    complete: true,
    valid: !invalid,
    reasons: invalid
      ? [
          "the A/A comparison fails on container: reference against reference differs by 31 %",
          "shared / reference has 2 valid blocks of 5",
        ]
      : [],
    indicative: blocks < 5,
    functional: false,
    thresholds: { abnormalMs: 100, unacceptableMs: 1000 },
    environment: fixtureEnvironment(),
    calibration: fixtureCalibration(),
    trials,
    comparisons: fixtureComparisons(blocks),
  };
}

/** The same, as if the containers had been emulated machines. */
export function emulatedResult(): Result {
  const result = JSON.parse(JSON.stringify(fixtureResult()).replaceAll('"container', '"qemu')) as Result;
  const limitedBy = { platform: "qemu", target: "apache1", path: "/index.html", aloneMs: 22, perSecond: 53 } as const;
  return {
    ...result,
    environment: { ...result.environment, variants: { qemu: "tcg" } },
    calibration: { scale: 0.09, limitedBy, pages: [limitedBy] },
  };
}

function fixtureTrial(
  index: number,
  block: number,
  platform: (typeof PLATFORMS)[number],
  phase: PhaseName,
  attempt: number,
  random: () => number,
): Trial {
  const scene = SCENE[platform][phase];
  const drift = (share: number): number => 1 + (random() - 0.5) * share;
  const lost = Math.round(PROBE_REQUESTS * scene.lost);
  const p95 = Number.isFinite(scene.p95) ? scene.p95 * drift(0.16) : null;
  const answeredP95 = p95 ?? 3400;
  const http = (over: Partial<Extract<Reading, { metric: "http" }>>): Reading => ({
    metric: "http",
    role: "probe",
    run: null,
    target: "apache1",
    engine: "epoll",
    mode: "open",
    requests: PROBE_REQUESTS,
    concurrency: null,
    rateHz: 100,
    path: "/index.html",
    ok: PROBE_REQUESTS - lost,
    failed: 0,
    timeouts: lost,
    cutOff: 0,
    ms: figures(scene.median * drift(0.06), answeredP95, drift),
    serviceMs: figures(scene.median, answeredP95, drift),
    sendDelayP95Ms: 0.06,
    p95WithFailures: p95,
    outliers: Math.round(random() * 4),
    ...over,
  });
  const readings: Reading[] = [
    http({}),
    http({
      role: "floor",
      target: "outside",
      timeouts: 0,
      ok: PROBE_REQUESTS,
      ms: figures(0.21, 0.44, drift),
      p95WithFailures: 0.44,
    }),
  ];
  if (block <= 3) {
    for (let run = 1; run <= 3; run++) {
      const timeouts = p95 === null && run === 2 ? 3 : 0;
      const ms = figures(scene.median * 1.2 * drift(0.2), answeredP95 * drift(0.3), drift);
      readings.push(
        http({
          role: "annex",
          run,
          mode: "closed",
          rateHz: null,
          requests: 50,
          concurrency: 5,
          ok: 50 - timeouts,
          timeouts,
          ms: { ...ms, p99: null },
          p95WithFailures: timeouts > 2 ? null : ms.p95,
          sendDelayP95Ms: null,
        }),
      );
    }
  }
  const connections = FLOODS[phase];
  if (connections !== undefined) {
    const { serviceMs: _service, sendDelayP95Ms: _delay, ...fields } = http({}) as Extract<Reading, { metric: "http" }>;
    const requests = Math.round((platform === "shared" ? 1910 : 1480) * 4 * drift(0.05));
    const ms = figures(connections * 0.52, connections * 1.4, drift);
    const { run: _run, ...flood } = fields;
    readings.push({
      ...flood,
      metric: "flood",
      role: "load",
      target: "apache2",
      path: "/compute.php",
      mode: "closed",
      rateHz: null,
      concurrency: connections,
      requests,
      ok: requests - 12,
      failed: 0,
      timeouts: 12,
      ms,
      p95WithFailures: ms.p95,
      perSecond: requests / 4,
      clientCpuShare: 0.23,
    });
  }
  for (const on of platform === "shared" ? ["shared"] : ["linux1", "linux2"]) {
    const bombs = CPU_BOMBS[phase];
    if (bombs !== undefined)
      readings.push({
        metric: "stress",
        role: "load",
        stressor: "cpu",
        on,
        instances: bombs,
        work: Math.round(8120 * drift(0.1)),
        unit: "bogo ops",
        oomKills: 0,
        tool: "stress-ng 0.15.06",
      });
    if (phase.endsWith("disk"))
      readings.push({
        metric: "stress",
        role: "load",
        stressor: "disk",
        on,
        instances: 1,
        work: Math.round(1.9e9 * drift(0.2)),
        unit: "bytes written and read",
        oomKills: 0,
        tool: "fio 3.33",
      });
  }
  const busy = phase === "reference" ? 0 : Math.round(260 * drift(0.3));
  const usage = (throttled: number): Trial["usage"][string] => ({
    cpuNs: 2.1e9 * drift(0.4),
    memoryPeakBytes: 74e6 * drift(0.2),
    oomKills: 0,
    pidsPeak: 31,
    nrPeriods: 400,
    nrThrottled: throttled,
    throttledNs: throttled * 3.1e6,
  });
  return {
    id: `${block}-${platform}-${phase}-${attempt}`,
    block,
    platform,
    phase,
    attempt,
    startedAt: new Date(Date.UTC(2026, 10, 22, 21, 4, index * 7)).toISOString(),
    durationMs: 5480 * drift(0.1),
    valid: true,
    reasons: [],
    stealShare: 0.001 * drift(1),
    usage:
      platform === "shared"
        ? { shared: usage(busy) }
        : {
            apache1: usage(0),
            apache2: usage(connections === undefined ? 0 : busy),
            linux1: usage(phase.startsWith("cpu") ? 398 : 0),
            linux2: usage(phase.startsWith("cpu") ? 397 : 0),
          },
    readings,
  };
}

function figures(
  median: number,
  p95: number,
  drift: (share: number) => number,
): NonNullable<Extract<Reading, { metric: "http" }>["ms"]> {
  const mean = (median * 0.8 + p95 * 0.2) * drift(0.05);
  return {
    min: median * 0.42 * drift(0.1),
    mean,
    sd: p95 * 0.4,
    median,
    p95,
    p99: p95 * 1.3,
    max: p95 * 1.7 * drift(0.5),
  };
}

function fixtureComparisons(blocks: number): Comparison[] {
  const interval = blocks >= 5;
  const method = "median over blocks; interval between order statistics (sign test, exact); ratios paired by block";
  const base = {
    target: "apache1",
    metric: "http p95",
    unit: "ms",
    n: blocks,
    confidence: interval ? 0.9375 : null,
    method,
    indicative: !interval,
  };
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const range = (
    value: number,
    spread: number,
  ): { estimate: number | null; low: number | null; high: number | null } => ({
    estimate: finite(value),
    low: interval ? finite(Number.isFinite(value) ? value / spread : 1180) : null,
    high: interval ? finite(value * spread) : null,
  });
  const against = PLATFORMS.flatMap((platform) =>
    FIXTURE_PHASES.map((phase): Comparison => {
      const reference = SCENE[platform].reference.p95;
      const { p95, lost } = SCENE[platform][phase];
      const spread = phase === "disk" ? 1.45 : p95 > 50 ? 1.16 : 1.07;
      return {
        ...base,
        kind: "phase",
        platform,
        against: "reference",
        phase,
        reference,
        ...range(p95, spread),
        ratio: range(p95 / reference, spread * 1.03),
        unanswered: lost,
        verdict: VERDICT[platform][phase],
      };
    }),
  );
  const between = FIXTURE_PHASES.map((phase): Comparison => {
    const shared = SCENE.shared[phase].p95;
    const container = SCENE.container[phase].p95;
    const verdict = phase === "reference" || phase === "cpu-1" ? "unaffected" : "degraded";
    return {
      ...base,
      kind: "platform",
      platform: "shared",
      against: "container",
      phase,
      reference: container,
      ...range(shared, 1.12),
      ratio: range(shared / container, 1.14),
      unanswered: SCENE.shared[phase].lost,
      verdict,
    };
  });
  return [...against, ...between];
}

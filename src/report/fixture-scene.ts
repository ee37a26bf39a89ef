import type { Calibration, Comparison, Result } from "../model/result.ts";

/** What the made-up run of fixture.ts is made of. */

export const FIXTURE_PHASES = [
  "reference",
  "flood-100",
  "flood-500",
  "flood-1000",
  "disk",
  "cpu-1",
  "cpu-4",
  "cpu-4-disk",
] as const;
export type PhaseName = (typeof FIXTURE_PHASES)[number];

/** Typical median and 95th percentile of the probe, ms, and share of requests without an answer. */
export const SCENE: Record<"shared" | "container", Record<PhaseName, { median: number; p95: number; lost: number }>> = {
  shared: {
    reference: { median: 2.1, p95: 3.9, lost: 0 },
    "flood-100": { median: 96, p95: 184, lost: 0 },
    "flood-500": { median: 520, p95: 905, lost: 0.004 },
    "flood-1000": { median: 1140, p95: 2210, lost: 0.021 },
    disk: { median: 14, p95: 268, lost: 0 },
    "cpu-1": { median: 2.3, p95: 6.4, lost: 0 },
    "cpu-4": { median: 3.4, p95: 61, lost: 0 },
    "cpu-4-disk": { median: 41, p95: Infinity, lost: 0.083 },
  },
  container: {
    reference: { median: 2.0, p95: 3.6, lost: 0 },
    "flood-100": { median: 2.1, p95: 3.8, lost: 0 },
    "flood-500": { median: 2.1, p95: 3.7, lost: 0 },
    "flood-1000": { median: 2.2, p95: 4.1, lost: 0 },
    disk: { median: 2.3, p95: 5.2, lost: 0 },
    "cpu-1": { median: 2.0, p95: 3.6, lost: 0 },
    "cpu-4": { median: 2.6, p95: 7.9, lost: 0 },
    "cpu-4-disk": { median: 2.7, p95: 9.6, lost: 0 },
  },
};

export const VERDICT: Record<"shared" | "container", Record<PhaseName, Comparison["verdict"]>> = {
  shared: {
    reference: "reference",
    "flood-100": "abnormal",
    "flood-500": "abnormal",
    "flood-1000": "unacceptable",
    disk: "abnormal",
    "cpu-1": "degraded",
    "cpu-4": "degraded",
    "cpu-4-disk": "did-not-return",
  },
  container: {
    reference: "reference",
    "flood-100": "unaffected",
    "flood-500": "unaffected",
    "flood-1000": "unaffected",
    disk: "inconclusive",
    "cpu-1": "unaffected",
    "cpu-4": "degraded",
    "cpu-4-disk": "degraded",
  },
};

export const PLATFORMS = ["shared", "container"] as const;
export const FLOODS: Partial<Record<PhaseName, number>> = { "flood-100": 100, "flood-500": 500, "flood-1000": 1000 };
export const CPU_BOMBS: Partial<Record<PhaseName, number>> = { "cpu-1": 1, "cpu-4": 4, "cpu-4-disk": 4 };
export const PROBE_REQUESTS = 400;

export function fixtureEnvironment(): Result["environment"] {
  const limits = (cpus: number): Record<string, unknown> => ({
    cpus,
    cpuPeriodMs: 10,
    shares: 1024,
    cpuset: [0],
    memoryBytes: 268435456,
    pids: 512,
  });
  const names = ["apache1", "apache2", "linux1", "linux2"];
  return {
    cloison: "0.1.0",
    node: "v20.20.0",
    kernel: "6.18.4",
    distribution: "Debian GNU/Linux 12 (bookworm)",
    cpu: "AMD EPYC 7B13",
    cpus: 2,
    memoryBytes: 25769803776,
    cgroupVersion: 1,
    tools: { runc: "1.1.5", "stress-ng": "0.15.06", fio: "3.33", nft: "1.0.6", iproute2: "6.1.0" },
    placement: {
      platform: [0],
      station: [1],
      probe: [1],
      caveats: ["The probe shares CPU 1 with the station’s floods; it has the higher scheduling priority."],
    },
    images: {
      web: { key: "9f2c61d07ab4", packages: { apache2: "2.4.62-1~deb12u2", php: "2:8.2+93" } },
      stress: { key: "41aa03c9e77d", packages: { "stress-ng": "0.15.06-2", fio: "3.33-3" } },
    },
    limits: {
      "shared/shared": limits(1),
      ...Object.fromEntries(names.map((name) => [`container/${name}`, limits(0.25)])),
    },
    variants: {},
    workers: { "shared/shared": 48, "container/apache1": 24, "container/apache2": 24 },
  };
}

export function fixtureCalibration(): Calibration {
  const page = (
    platform: "shared" | "container",
    target: string,
    path: string,
    aloneMs: number,
    perSecond: number,
  ) => ({
    platform,
    target,
    path,
    aloneMs,
    perSecond,
  });
  return {
    scale: 1,
    limitedBy: null,
    pages: [
      page("shared", "apache1", "/index.html", 1.2, 1840),
      page("shared", "apache2", "/compute.php", 4.1, 410),
      page("container", "apache1", "/index.html", 1.9, 620),
      page("container", "apache2", "/compute.php", 9.3, 118),
    ],
  };
}

/** mulberry32, so that the fixture is the same in every run. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** Winitzki's approximation of the inverse error function; good to 0.002, enough for made-up curves. */
export function normalQuantile(share: number): number {
  const x = 2 * share - 1;
  const log = Math.log(1 - x * x);
  const half = 2 / (Math.PI * 0.147) + log / 2;
  return Math.SQRT2 * Math.sign(x) * Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
}

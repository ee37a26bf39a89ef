import { expect, test } from "vitest";
import type { Environment } from "../model/result.ts";
import { environmentChanges } from "./environment.ts";

const ENVIRONMENT: Environment = {
  cloison: "1",
  node: "20",
  kernel: "6.1",
  distribution: "Debian",
  cpu: "a CPU",
  cpus: 2,
  memoryBytes: 8e9,
  cgroupVersion: 2,
  tools: { runc: "1.1" },
  placement: { platform: [0], station: [1], probe: [1], caveats: [] },
  images: { web: { key: "abc", packages: { apache2: "2.4" } } },
  limits: { "shared/all": { cpus: 1, io: { readIops: undefined } } },
  variants: { qemu: "tcg" },
  workers: {},
};

test("the same machine, as it is read back", () => {
  expect(environmentChanges(stored(), ENVIRONMENT)).toEqual([]);
  expect(environmentChanges({ ...stored(), memoryBytes: 8.1e9 }, ENVIRONMENT)).toEqual([]);
});

const stored = () => JSON.parse(JSON.stringify(ENVIRONMENT)) as Environment;

test("another machine, image or placement is told", () => {
  const now = {
    ...ENVIRONMENT,
    kernel: "6.12",
    cpus: 4,
    images: { web: { key: "def", packages: {} } },
    placement: { ...ENVIRONMENT.placement, probe: [2] },
  };
  expect(environmentChanges(stored(), now)).toEqual([
    'kernel "6.1", now "6.12"',
    "cpus 2, now 4",
    "other placement",
    "other images",
  ]);
});

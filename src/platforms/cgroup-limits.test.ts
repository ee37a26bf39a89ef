import { expect, test } from "vitest";
import type { DomainLimits } from "../model/plan.ts";
import { cgroupSettings, weightOfShares } from "./cgroup-limits.ts";

const limits: DomainLimits = {
  cpus: 0.25,
  cpuPeriodMs: 10,
  shares: 1024,
  cpuset: [0, 2, 3],
  memoryBytes: 268_435_456,
  pids: 128,
  diskBytes: null,
  io: {},
};
const lines = (...inputs: Parameters<typeof cgroupSettings>) =>
  cgroupSettings(...inputs).map(({ controller, file, text }) => `${controller} ${file} = ${text}`);

test("v1", () => {
  expect(lines(limits, 1, true)).toEqual([
    "cpuset cpuset.cpus = 0,2,3",
    "cpu cpu.shares = 1024",
    "cpu cpu.cfs_period_us = 10000",
    "cpu cpu.cfs_quota_us = 2500",
    "memory memory.limit_in_bytes = 268435456",
    "memory memory.memsw.limit_in_bytes = 268435456",
    "pids pids.max = 128",
  ]);
  expect(lines({ ...limits, cpus: null }, 1, false)).toEqual([
    "cpuset cpuset.cpus = 0,2,3",
    "cpu cpu.shares = 1024",
    "cpu cpu.cfs_period_us = 10000",
    "cpu cpu.cfs_quota_us = -1",
    "memory memory.limit_in_bytes = 268435456",
    "pids pids.max = 128",
  ]);
});

test("v2", () => {
  expect(lines(limits, 2, true)).toEqual([
    "cpuset cpuset.cpus = 0,2,3",
    "cpu cpu.weight = 39",
    "cpu cpu.max = 2500 10000",
    "memory memory.max = 268435456",
    "memory memory.swap.max = 0",
    "pids pids.max = 128",
  ]);
  expect(lines({ ...limits, cpus: null }, 2, false)).toContain("cpu cpu.max = max 10000");
});

test("shares become weights over the whole range", () => {
  expect([2, 1024, 262_144].map(weightOfShares)).toEqual([1, 39, 10_000]);
});

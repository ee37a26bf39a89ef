import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import type { DomainLimits, DomainPlan } from "../model/plan.ts";
import { cgroupSettings, changeCgroupLimits, differOnlyIn, weightOfShares } from "./cgroup-limits.ts";

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

test("of v1 memory with swap is raised before memory, and lowered after it", async () => {
  const written = async (bothBytes: number) => {
    const cgroupFiles = { "g/memory.memsw.limit_in_bytes": `${bothBytes}\n` };
    const host = createFakeHost({ cgroupFiles });
    await changeCgroupLimits(host, "g", { name: "www", limits } as DomainPlan);
    return host.records.join("\n").match(/memory\.\S*limit_in_bytes/g);
  };
  const [memory, both] = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"];
  expect(await written(limits.memoryBytes - 1)).toEqual([both, memory, both]);
  expect(await written(limits.memoryBytes + 1)).toEqual([memory, both]);
});

test.each([
  [1, "total_rss 200000000\ntotal_cache 900000000\ntotal_shmem 100000000\n"],
  [2, "anon 200000000\nfile 900000000\nkernel 60000000\nsock 20000000\nshmem 50000000\nslab_reclaimable 30000000\n"],
] as const)("of v%i no limit is written below what cannot be given back", async (cgroupVersion, stat) => {
  const host = createFakeHost({ cgroupVersion, cgroupFiles: { "g/memory.stat": stat } });
  await expect(changeCgroupLimits(host, "g", { name: "www", limits } as DomainPlan)).rejects.toThrow(
    "domain www uses 287M of memory, and is to have 256M",
  );
  expect(host.records).toEqual([]);
});

test("limits differ in some only, or in others too", () => {
  expect(differOnlyIn(limits, { ...limits, cpus: 1, pids: 3 }, ["cpus", "pids"])).toBe(true);
  expect(differOnlyIn(limits, { ...limits, cpus: 1, pids: 3 }, ["cpus"])).toBe(false);
});

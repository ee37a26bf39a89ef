import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import { readUsage } from "./cgroup-usage.ts";

const NOTHING = {
  cpuNs: null,
  memoryPeakBytes: null,
  oomKills: null,
  pidsPeak: null,
  nrPeriods: null,
  nrThrottled: null,
  throttledNs: null,
};
const EVERYTHING = {
  cpuNs: 1_234_567_000,
  memoryPeakBytes: 67_108_864,
  oomKills: 3,
  pidsPeak: 64,
  nrPeriods: 100,
  nrThrottled: 40,
  throttledNs: 250_000_000,
};

test("v1 counts ns, each controller in a hierarchy of its own", async () => {
  const { cgroups } = createFakeHost({
    cgroupVersion: 1,
    cgroupFiles: {
      "cloison/l/d/cpuacct.usage": "1234567000\n",
      "cloison/l/d/cpu.stat": "nr_periods 100\nnr_throttled 40\nthrottled_time 250000000\n",
      "cloison/l/d/memory.max_usage_in_bytes": "67108864\n",
      "cloison/l/d/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
      "cloison/l/d/pids.peak": "64\n",
    },
  });
  expect(await readUsage(cgroups, "cloison/l/d")).toEqual(EVERYTHING);
});

test("v2 counts µs, all in one", async () => {
  const { cgroups } = createFakeHost({
    cgroupVersion: 2,
    cgroupFiles: {
      "cloison/l/d/cpu.stat":
        "usage_usec 1234567\nuser_usec 1\nsystem_usec 2\nnr_periods 100\nnr_throttled 40\nthrottled_usec 250000\n",
      "cloison/l/d/memory.peak": "67108864\n",
      "cloison/l/d/memory.events": "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 0\n",
      "cloison/l/d/pids.peak": "64\n",
    },
  });
  expect(await readUsage(cgroups, "cloison/l/d")).toEqual(EVERYTHING);
});

test.each([1, 2] as const)(
  "v%i says null for what the kernel does not count, or when there is no group",
  async (cgroupVersion) => {
    expect(await readUsage(createFakeHost({ cgroupVersion }).cgroups, "cloison/l/d")).toEqual(NOTHING);
  },
);

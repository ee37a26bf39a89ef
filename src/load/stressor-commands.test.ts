import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { STRESSOR_KINDS, type StressorLoad } from "../model/experiment.ts";
import type { DomainLimits } from "../model/plan.ts";
import { stressorCommand } from "./stressor-commands.ts";

const limits: DomainLimits = {
  cpus: 0.25,
  cpuPeriodMs: 10,
  shares: 1024,
  cpuset: [0],
  memoryBytes: 256 * 2 ** 20,
  pids: 128,
  diskBytes: 2 ** 30,
  io: {},
};
const command = (load: Partial<StressorLoad>, changes: Partial<DomainLimits> = {}) =>
  stressorCommand({
    load: { stressor: "cpu", on: ["linux1"], instances: 1, direct: false, ...load },
    limits: { ...limits, ...changes },
    deadlineMs: 12_500,
    id: "cloison-x-1",
    outside: { address: "10.23.0.3", port: 5201 },
  });

test.each(STRESSOR_KINDS)("%s ends at its deadline, inside the domain", (stressor) => {
  const argv = command({ stressor });
  expect(argv.slice(0, 6)).toEqual(["timeout", "-k", "10s", "12.500s", "sh", "-c"]);
  expect(argv.at(-1)).toBe("cloison-x-1");
  expect(spawnSync("sh", ["-n", "-c", argv[6] ?? ""]).status).toBe(0);
});

test.each([
  ["cpu", { stressor: "cpu", instances: 4 }],
  ["memory", { stressor: "memory" }],
  ["fork", { stressor: "fork" }],
  ["disk, direct", { stressor: "disk", direct: true, instances: 2 }],
  ["net-transmit", { stressor: "net-transmit" }],
  ["net-receive", { stressor: "net-receive", instances: 2 }],
] satisfies [string, Partial<StressorLoad>][])("%s runs", (_, load) => {
  expect(command(load)[6]).toMatchSnapshot();
});

test("the disk stressor's files exceed the memory, and leave room on the disk", () => {
  const script = (free: number, changes: Partial<DomainLimits>) => {
    const text = (command({ stressor: "disk", instances: 2 }, changes)[6] ?? "").split("\n");
    const sizing = text
      .slice(1, 3)
      .join("\n")
      .replace(/\$\(df .*\)$/m, `device 0 0 ${free}`);
    return Number(spawnSync("sh", ["-c", `${sizing}\necho $size`], { encoding: "utf8" }).stdout);
  };
  const gib = 2 ** 20;
  // KiB for each of two files: 1.25 times 256 MiB together.
  expect(script(100 * gib, {})).toBe(160 * 1024);
  expect(script(gib / 2, {})).toBe(Math.floor(Math.floor((gib / 2) * 0.4) / 2));
  expect(script(gib / 2, { diskBytes: null })).toBe(Math.floor(Math.floor((gib / 2) * 0.2) / 2));
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createMachine, parseCpuList, parseStartTime } from "./machine.ts";

test("parseCpuList reads the kernel's lists", () => {
  expect(parseCpuList("0-1\n")).toEqual([0, 1]);
  expect(parseCpuList("0,2-4,8")).toEqual([0, 2, 3, 4, 8]);
  expect(parseCpuList("\n")).toEqual([]);
});

test("parseStartTime is not misled by a program's name", () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
  expect(parseStartTime(`42 (a) S (b) c) ${fields.join(" ")}`)).toBe(22);
});

test("the machine tells a process by its start, and knows one that is not there", () => {
  const machine = createMachine();
  const uptimeS = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  const startTime = machine.startTime(process.pid);
  expect(startTime).toBeGreaterThan(0);
  // Linux shows user space 100 ticks a second on every architecture that Node runs on.
  expect(startTime).toBeLessThanOrEqual(uptimeS * 100 + 1);
  expect(machine.startTime(2 ** 22 + 1)).toBeNull();
  expect(machine.cpus.length).toBeGreaterThan(0);
  expect(machine.bootId).toMatch(/^[0-9a-f-]{36}$/);
});

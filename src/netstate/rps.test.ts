import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatCpuMask, parseCpuMask } from "./rps.ts";

describe("CPU masks", () => {
  test.each([
    [[], "00000000"],
    [[0], "00000001"],
    [[1, 2], "00000006"],
    [[31], "80000000"],
    [[0, 32, 33], "00000003,00000001"],
    [[64], "00000001,00000000,00000000"],
  ])("%j is %s", (cpus, mask) => {
    expect(formatCpuMask(cpus)).toBe(mask);
  });

  // What the kernel prints on machines of 2, 4 and 72 CPUs.
  test.each([
    ["0\n", []],
    ["3\n", [0, 1]],
    ["c\n", [2, 3]],
    ["80,00000000,00000100\n", [8, 71]],
  ])("%j is %j", (mask, cpus) => {
    expect(parseCpuMask(mask)).toEqual(cpus);
  });

  test("there and back", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(300)), (cpus) => {
        expect(parseCpuMask(formatCpuMask(cpus))).toEqual(cpus.toSorted((a, b) => a - b));
      }),
    );
  });
});

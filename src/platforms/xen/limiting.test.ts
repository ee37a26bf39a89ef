import { expect, test } from "vitest";
import { createFakeHost } from "../../host/fake.ts";
import { domainPlan } from "../../lab/fixture.ts";
import { WORKSPACE } from "../guest/fixture.ts";
import { creditOptions, limiting } from "./limiting.ts";
import { xenPaths } from "./xen-paths.ts";

const BEFORE = domainPlan("www", 1);

/** A dom0 with the domain, which was started with so much memory. */
const dom0 = (startedMiB: number) =>
  createFakeHost({
    answers: ({ argv: [program, ...args] }) =>
      program === "xenstore-read"
        ? { stdout: `${startedMiB * 1024}\n` }
        : args[0] === "list"
          ? { stdout: `cloison.l.www  7  96  1  -b----  2.5 ${xenPaths(WORKSPACE, "www").uuid}  -  -\n` }
          : undefined,
  });

test.each([
  [{ memoryBytes: 32 * 2 ** 20 }, true],
  [{ memoryBytes: 96 * 2 ** 20, cpus: 0.1 }, true],
  [{ memoryBytes: 97 * 2 ** 20 }, false],
  [{ pids: 8 }, false],
])("a domain of 64M that was started with 96M can go on with %j: %s", async (changes, fits) => {
  const after = { ...BEFORE, limits: { ...BEFORE.limits, ...changes } };
  expect(await limiting.fits(dom0(96), WORKSPACE, BEFORE, after)).toBe(fits);
});

test("less than its kernel needs is refused before anything is set", async () => {
  const host = dom0(96);
  await expect(limiting.set(host, WORKSPACE, BEFORE)).rejects.toThrow(/64M is less than the kernel/);
  expect(host.records).toEqual([]);
});

test("shares are a weight, and CPUs a cap", () => {
  expect(creditOptions({ shares: 1024, cpus: 0.8 })).toEqual(["-w", "256", "-c", "80"]);
  expect(creditOptions({ shares: 2, cpus: null })).toEqual(["-w", "1", "-c", "0"]);
  expect(creditOptions({ shares: 262_144, cpus: 0.001 })).toEqual(["-w", "65535", "-c", "1"]);
});

import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import type { Outcome } from "../xen-host/contract/vitest.ts";
import { bringKernel } from "../xen-host/guests.ts";
import { bringProgram } from "../xen-host/program.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

/** Of the platform contract, as the suites of this machine's own kernel run it. */
const LEAST_TESTS = 15;

const here = (path: string) => new URL(path, import.meta.url).pathname;

/**
 * A platform works where it is: the contract runs in dom0 itself, in a bundle, as vitest is too large for an emulated CPU. Its
 * kernel is Debian's, with control groups of version 2, which the containers' limits are then kept by.
 */
needs(
  ...XEN_HOST_NEEDS,
  "busybox",
  "tini",
)("the platform contract in dom0", () => {
  let xen: XenHost;
  beforeAll(async () => {
    xen = await startXenHost(createRealHost(), stateFolder());
    await bringProgram(xen);
    await bringKernel(xen);
    await build({
      entryPoints: [here("../xen-host/contract/run.ts")],
      outfile: join(xen.brought, "contract.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["koffi"],
      alias: { vitest: here("../xen-host/contract/vitest.ts") },
      banner: {
        js: 'import { createRequire as bundled } from "node:module"; globalThis.require = bundled(import.meta.url);',
      },
    });
    await xen.must("cp /brought/contract.mjs /opt/cloison/");
  }, 600_000);
  afterAll(() => xen?.close());

  test("its control groups are of version 2", async () => {
    expect(await xen.must("cat /sys/fs/cgroup/cgroup.controllers")).toMatch(/cpu .*memory .*pids/);
  });

  test.each(["namespace", "container", "shared", "xen"])("holds for platform %s", async (platform) => {
    const { stdout, stderr } = await xen.run(
      `/opt/cloison/node /opt/cloison/contract.mjs ${platform} /brought/kernel`,
      { timeoutMs: 1_200_000 },
    );
    const outcomes = stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Outcome);
    for (const { name, tookMs } of outcomes)
      console.log(`${platform} ${(tookMs / 1000).toFixed(1).padStart(6)} s  ${name}`);
    expect(outcomes.filter(({ failure }) => failure !== null)).toEqual([]);
    if (outcomes.length < LEAST_TESTS) throw new Error(`only ${outcomes.length} tests ran: ${stderr}`);
  });
});

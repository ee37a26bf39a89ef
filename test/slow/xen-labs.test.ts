import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import { expectAsPredicted, machinesOf, NETWORK_EXAMPLES } from "../network-example.ts";
import type { Ended } from "../sandbox.ts";
import { bringGuests } from "../xen-host/guests.ts";
import { bringProgram } from "../xen-host/program.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

/** States and reachability; an emulated machine is no measure of time. */
needs(
  ...XEN_HOST_NEEDS,
  "busybox",
  "tini",
)("labs on Xen", () => {
  let xen: XenHost;
  let cloison: (command: string, timeoutMs?: number) => Promise<Ended>;
  const succeed = async (command: string) => {
    const { code, stdout, stderr } = await cloison(command, 600_000);
    if (code !== 0) throw new Error(`cloison ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };

  beforeAll(async () => {
    xen = await startXenHost(createRealHost(), stateFolder());
    cloison = await bringProgram(xen);
    await bringGuests(xen, cloison);
  }, 600_000);
  afterAll(() => xen?.close());

  test.each(NETWORK_EXAMPLES)("%s: who reaches whom is as predicted", async (example) => {
    const lab = machinesOf(example, { platform: "xen", images: {}, image: "small" });
    writeFileSync(join(xen.brought, `${example}.yaml`), lab);
    await succeed(`up /brought/${example}.yaml`);
    try {
      console.log(expectAsPredicted(example, lab, await succeed(`net verify ${example} --json`)));
      expect(await succeed(`net diff ${example}`)).toMatch(/nothing differs/);
    } finally {
      await succeed(`down ${example}`);
    }
    expect(await xen.must("ip netns list; xl list | tail -n +3")).toBe("");
  });
});

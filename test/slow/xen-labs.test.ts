import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import type { Ended } from "../sandbox.ts";
import { bringGuests } from "../xen-host/guests.ts";
import { bringProgram } from "../xen-host/program.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

/** The examples for paravirtual domains, as many as an emulated machine has memory for; what they send is not limited. */
function onXen(name: string): string {
  return readFileSync(new URL(`../../examples/networks/${name}.yaml`, import.meta.url), "utf8")
    .replace("platform: namespace", "platform: xen")
    .replaceAll(/image: plain(, count: \d)?/g, "image: small, memory: 96M")
    .replaceAll(/, out: \w+/g, "");
}

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

  test.each(["bridge", "routed", "nat"])("%s: each question is answered as predicted", async (name) => {
    const lab = `net-${name}`;
    writeFileSync(join(xen.brought, `${name}.yaml`), onXen(name));
    await succeed(`up /brought/${name}.yaml --parallel 1`);
    try {
      expect(await succeed(`net verify ${lab}`)).toMatch(/^\d+ questions: .*; all as predicted$/m);
      expect(await succeed(`net diff ${lab}`)).toMatch(/nothing differs/);
    } finally {
      await succeed(`down ${lab}`);
    }
    expect(await xen.must("ip netns list; xl list | tail -n +3")).toBe("");
  });
});

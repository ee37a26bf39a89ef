import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";
import type { Ended } from "../sandbox.ts";
import { bringProgram } from "../xen-host/program.ts";
import { XEN_HOST_NEEDS, startXenHost, stateFolder, type XenHost } from "../xen-host/xen-host.ts";

const DELAY = `
name: delay
platform: namespace
images: { plain: { recipe: plain } }
networks: { lan: { mode: bridge, subnet: 10.23.0.0/24 } }
domains:
  near: { image: plain }
  far: { image: plain, nics: [{ network: lan, delay: 500ms }] }
`;

/** What the kernels of build machines may lack, Debian's has: dom0 runs one. */
needs(...XEN_HOST_NEEDS)("the program on Debian's kernel", () => {
  let xen: XenHost;
  let cloison: (command: string, timeoutMs?: number) => Promise<Ended>;

  const bring = (name: string, text: string) => {
    writeFileSync(join(xen.brought, `${name}.yaml`), text);
    return `/brought/${name}.yaml`;
  };
  const succeed = async (command: string) => {
    const { code, stdout, stderr } = await cloison(command, 200_000);
    if (code !== 0) throw new Error(`cloison ${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };

  beforeAll(async () => {
    xen = await startXenHost(createRealHost(), stateFolder());
    cloison = await bringProgram(xen);
  }, 600_000);
  afterAll(() => xen?.close());

  test("containers have all limits, on control groups of version 2", async () => {
    const { stdout } = await cloison("check", 200_000);
    expect(stdout).toMatch(/^platform +qemu +no +.*qemu-system-x86_64/m);
    expect(stdout).toMatch(/^platform +container +yes +a container ran with its own namespaces and all limits$/m);
    expect(stdout).toMatch(/^platform +xen +yes +a paravirtual domain ran on Xen 4\./m);
    expect(await xen.must("cat /sys/fs/cgroup/cgroup.controllers")).toContain("memory");
  });

  test("VLANs are sub-interfaces of the kernel, and each question is answered as predicted", async () => {
    const example = new URL("../../examples/networks/vlan-dmz.yaml", import.meta.url);
    const text = readFileSync(example, "utf8").replaceAll("mode: vlan,", "mode: vlan, backend: kernel,");
    await succeed(`up ${bring("vlan-dmz", text)}`);
    const vlans = await xen.must("ip -d -n cloison.net-vlan-dmz.host link show type vlan");
    expect(vlans.match(/802\.1Q id \d+/g)).toEqual(["802.1Q id 2", "802.1Q id 3"]);
    expect(await succeed("net verify net-vlan-dmz")).toMatch(/^\d+ questions: .*; all as predicted$/m);
    await succeed("down net-vlan-dmz");
    expect(await xen.must("ip netns list")).toBe("");
  });

  test("a delay is netem's, on the way to the guest", async () => {
    await succeed(`up ${bring("delay", DELAY)}`);
    expect(await xen.must("tc -n cloison.delay.host qdisc show dev vif2.0")).toMatch(/netem .*delay 500ms/);
    const answer = await xen.must("ip netns exec cloison.delay.near ping -n -c 1 -W 5 10.23.0.12");
    expect(Number(/time=([\d.]+) ms/.exec(answer)?.[1])).toBeGreaterThanOrEqual(500);
    await succeed("down delay");
  });
});

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { ensureImage } from "../../src/images/build.ts";
import { RECIPES } from "../../src/images/recipes.ts";
import { checkStressor, startStressor, type StressReading } from "../../src/load/stressors.ts";
import { STRESSOR_KINDS, type StressorLoad } from "../../src/model/experiment.ts";
import type { DomainPlan, LabPlan } from "../../src/model/plan.ts";
import { createContainerPlatform } from "../../src/platforms/container/container-platform.ts";
import type { Workspace } from "../../src/platforms/platform.ts";
import { smallDomain, smallPlan } from "../contract/small-plan.ts";
import { needs } from "../needs.ts";

const MIB = 2 ** 20;

needs(
  "root",
  "runc",
  "overlay",
  "loop",
  "mmdebstrap",
  "apt",
  "iperf3",
)("stressors", () => {
  const host = createRealHost();
  const platform = createContainerPlatform();
  const lab = `stress-${process.pid}`;
  let directory = "";
  let workspace: Workspace;
  let plan: LabPlan;
  let domain: DomainPlan;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "cloison-stressors-"));
    const image = await ensureImage(host, { store: "/var/lib/cloison/images", name: "stress", recipe: RECIPES.stress });
    workspace = {
      directory: join(directory, "lab"),
      rootfs: () => image.directory,
      cgroup: `cloison/${lab}`,
      record: async () => undefined,
    };
  });

  beforeEach(async () => {
    const limits = {
      ...smallDomain(lab, "linux1").limits,
      cpus: 0.5,
      memoryBytes: 96 * MIB,
      pids: 48,
      diskBytes: 384 * MIB,
    };
    // As on the shared platform, two of the lab's domains live in one context.
    plan = smallPlan(lab, "container", [smallDomain(lab, "linux1", { limits, members: ["linux1", "linux2"] })]);
    domain = plan.domains[0] as DomainPlan;
    const { outside } = plan.machines;
    await host.namespaces.create([domain.namespace, outside.namespace]);
    const ip = (namespace: string, ...argv: string[]) => host.processes.must({ argv: ["ip", ...argv], namespace });
    await ip(
      domain.namespace,
      "link",
      "add",
      "eth0",
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      outside.namespace,
    );
    for (const [namespace, address] of [
      [domain.namespace, "10.99.0.2/24"],
      [outside.namespace, `${outside.address}/24`],
    ] as const) {
      await ip(namespace, "address", "add", address, "dev", "eth0");
      await ip(namespace, "link", "set", "eth0", "up");
    }
    await platform.prepare(host, workspace, plan, domain);
    await platform.start(host, workspace, plan, domain);
  });

  afterEach(async () => {
    await platform.destroy(host, workspace, lab, "linux1");
    expect(await host.cgroups.pids(`cloison/${lab}`)).toEqual([]);
    await host.cgroups.destroy(`cloison/${lab}`, 10_000);
    await host.namespaces.remove([domain.namespace, plan.machines.outside.namespace]);
  });

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const start = (load: Pick<StressorLoad, "stressor"> & Partial<StressorLoad>, deadlineMs = 30_000, on = "linux1") =>
    startStressor({
      host,
      platform,
      workspace,
      plan,
      on,
      deadlineMs,
      load: { on: [on], instances: 1, direct: false, ...load },
    });

  async function during(load: Parameters<typeof start>[0], ms: number): Promise<StressReading> {
    const stressor = await start(load);
    await host.clock.sleep(ms);
    expect(stressor.hasEnded()).toBe(false);
    return stressor.stop();
  }

  const programs = async () => {
    const pids = await host.cgroups.pids(`cloison/${lab}`);
    const lines = await Promise.all(pids.map((pid) => host.files.readTextIfExists(`/proc/${pid}/cmdline`)));
    return lines.filter((line) => line !== null && line !== "").map((line) => line?.split("\0")[0]);
  };
  const idle = ["/usr/bin/tini", "sleep"];

  test("cpu counts loops and ends when told", async () => {
    const reading = await during({ stressor: "cpu", instances: 2 }, 1500);
    expect(reading).toMatchObject({
      metric: "stress",
      role: "load",
      stressor: "cpu",
      on: "linux1",
      instances: 2,
      unit: "loops",
      tool: "stress-ng",
      oomKills: 0,
    });
    expect(reading.work).toBeGreaterThan(10);
    expect(await programs()).toEqual(idle);
  });

  test("memory takes all that the domain has, and the kernel kills inside", async () => {
    const reading = await during({ stressor: "memory" }, 4000);
    expect(reading.work).toBeGreaterThan(64 * MIB);
    expect(reading.oomKills).toBeGreaterThan(0);
    const usage = await platform.usage(host, workspace, "linux1");
    expect(usage.memoryPeakBytes).toBeGreaterThan(90 * MIB);
    expect(usage.memoryPeakBytes).toBeLessThanOrEqual(96 * MIB);
    expect(await programs()).toEqual(idle);
  });

  test("fork creates processes up to the limit, and can be ended there", async () => {
    const reading = await during({ stressor: "fork" }, 2000);
    expect(reading.work).toBeGreaterThan(100);
    const { pidsPeak } = await platform.usage(host, workspace, "linux1");
    if (pidsPeak !== null) expect(pidsPeak).toBe(48);
    expect(await programs()).toEqual(idle);
  });

  test.each([true, false])("disk writes and reads (direct: %s) and leaves no file", async (direct) => {
    const reading = await during({ stressor: "disk", direct, instances: 2 }, 4000);
    expect(reading).toMatchObject({ unit: "bytes written and read", tool: "fio" });
    expect(reading.work).toBeGreaterThan(MIB);
    expect(readdirSync(join(directory, "lab/domains/linux1/root/var/tmp"))).toEqual([]);
    expect(await programs()).toEqual(idle);
  });

  test.each(["net-transmit", "net-receive"] as const)("%s counts datagrams", async (stressor) => {
    const reading = await during({ stressor }, 2000);
    expect(reading).toMatchObject({ unit: "datagrams", tool: "iperf3" });
    expect(reading.work).toBeGreaterThan(100);
    expect(await programs()).toEqual(idle);
  });

  test("several run at once in one context, each with its own reading", async () => {
    const stressors = [
      await start({ stressor: "cpu", instances: 4 }),
      await start({ stressor: "cpu" }, 30_000, "linux2"),
      await start({ stressor: "net-transmit" }),
      await start({ stressor: "net-receive" }, 30_000, "linux2"),
      await start({ stressor: "disk" }, 30_000, "linux2"),
    ];
    await host.clock.sleep(3000);
    const readings = await Promise.all(stressors.map((stressor) => stressor.stop()));
    expect(readings.map(({ stressor, on }) => `${stressor} ${on}`)).toEqual([
      "cpu linux1",
      "cpu linux2",
      "net-transmit linux1",
      "net-receive linux2",
      "disk linux2",
    ]);
    expect(readings.filter(({ work }) => work === 0)).toEqual([]);
    expect(await programs()).toEqual(idle);
  });

  test("ends by itself at its deadline", async () => {
    const stressor = await start({ stressor: "cpu" }, 1000);
    expect((await stressor.result).work).toBeGreaterThan(0);
    expect(stressor.hasEnded()).toBe(true);
    expect(await stressor.stop()).toEqual(await stressor.result);
    expect(await programs()).toEqual(idle);
  });

  test("is an error in a domain that does not run, and in one that lacks the tool", async () => {
    await platform.exec(host, workspace, plan, domain, ["rm", "/usr/bin/stress-ng"]);
    // It is noticed at the start or at the end, as it happens.
    await expect(during({ stressor: "cpu" }, 100)).rejects.toThrow(/did nothing in domain linux1: .*stress-ng/);
    await platform.destroy(host, workspace, lab, "linux1");
    await expect(start({ stressor: "fork" })).rejects.toThrow(/does not run in domain linux1/);
  });
});

needs(
  "root",
  "stress-ng",
  "fio",
  "iperf3",
)("the machine's own stressors", () => {
  test.each(STRESSOR_KINDS)("%s is found to work by trying", async (kind) => {
    expect(await checkStressor(createRealHost(), kind, null)).toMatchObject({ available: true });
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resultSchema, type Reading, type Result, type Trial } from "../../src/model/result.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Ended, type Sandbox } from "../sandbox.ts";

/** The miniature's phases, with one probe: what is emulated takes its time for each. */
const EXPERIMENT = `
name: miniature
lab: lab.yaml
platforms: [container]
seed: 7
blocks: 1
duration: 1s
settle: 300ms
probes:
  - { probe: http, target: apache1, path: /index.html, rate: 100, timeout: 10s }
annex: { blocks: 1, requests: 10, concurrency: 2, runs: 1 }
reference: reference
phases:
  reference: {}
  flood: { floods: [{ on: apache2, path: /compute.php, concurrency: 20 }] }
  stress: { stressors: [{ stressor: disk, on: [linux1] }, { stressor: cpu, on: [linux1], instances: 2 }] }
`;

const PHASES = ["reference", "flood", "stress"];
const POSITIVE: unknown = expect.toSatisfy((value: number) => value > 0);

needs(
  ...LAB_NEEDS,
  "qemu",
  "busybox",
  "apt",
)("the study in miniature, in virtual machines too", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let after: KernelSnapshot;
  let ended: Ended;
  let result: Result;

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
    const folder = join(sandbox.folder, "run");
    const experiment = join(sandbox.folder, "experiment.yaml");
    writeFileSync(experiment, EXPERIMENT);
    const lab = readFileSync(join(process.cwd(), "examples/miniature/lab.yaml"), "utf8");
    writeFileSync(join(sandbox.folder, "lab.yaml"), lab.replace("name: miniature", "name: miniature\naccel: tcg"));
    const argv = ["run", experiment, "--platforms", "container,qemu", "--out", folder, "--json"];
    ended = await sandbox.start([process.execPath, PROGRAM, ...argv]).ended;
    after = sandbox.snapshot();
    if (ended.code !== 0 && ended.code !== 1) throw new Error(`the run failed: ${JSON.stringify(ended)}`);
    result = JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as Result;
  });
  afterAll(() => sandbox.close());

  /** The last attempt: whether it is valid is the machine's affair, that it has measured is ours. */
  const last = (platform: string, phase: string): Trial => {
    const trial = result.trials.findLast((one) => one.phase === phase && one.platform === platform);
    if (trial === undefined) throw new Error(`${phase} on ${platform} was not run`);
    return trial;
  };
  const readingsOf = <M extends Reading["metric"]>(metric: M, { readings }: Trial) =>
    readings.filter((one): one is Extract<Reading, { metric: M }> => one.metric === metric);

  test("leaves nothing behind, and no trial broke off", () => {
    expect(after).toEqual(before);
    expect(result.complete).toBe(true);
    expect(result.trials.flatMap(({ reasons }) => reasons).filter((reason) => reason.includes("broke off"))).toEqual(
      [],
    );
    expect(resultSchema.parse(result)).toEqual(result);
  });

  test("loads are scaled to what the emulated victim can answer, on both platforms, and it is said", () => {
    const { calibration } = result;
    expect(result.environment.variants).toEqual({ qemu: "tcg" });
    expect(calibration?.scale).toBeLessThan(1);
    expect(calibration?.limitedBy).toMatchObject({ platform: "qemu", target: "apache1", perSecond: POSITIVE });
    expect(calibration?.pages.map(({ platform, target }) => `${platform} ${target}`)).toEqual([
      "container apache1",
      "container apache2",
      "qemu apache1",
      "qemu apache2",
    ]);
    expect(ended.stderr).toContain(`every platform gets ${calibration?.scale} of the planned load`);
    const rates = PHASES.flatMap((phase) =>
      ["container", "qemu"].map((platform) => {
        const probe = readingsOf("http", last(platform, phase)).find(({ role }) => role === "probe");
        return probe?.rateHz;
      }),
    );
    expect(new Set(rates)).toEqual(new Set([Number((100 * (calibration?.scale ?? 0)).toPrecision(6))]));
  });

  test.each(["container", "qemu"])("the loads did their work on %s, and it is counted", (platform) => {
    expect(readingsOf("flood", last(platform, "flood"))).toEqual([
      expect.objectContaining({ target: "apache2", concurrency: 20, ok: POSITIVE }),
    ]);
    expect(readingsOf("stress", last(platform, "stress"))).toEqual([
      expect.objectContaining({ stressor: "disk", on: "linux1", work: POSITIVE }),
      expect.objectContaining({ stressor: "cpu", on: "linux1", instances: 2, work: POSITIVE }),
    ]);
    const { usage } = last(platform, "stress");
    expect(usage["linux1"]).toMatchObject({ cpuNs: POSITIVE, nrThrottled: POSITIVE, memoryPeakBytes: POSITIVE });
    const probes = readingsOf("http", last(platform, "reference")).filter(({ role }) => role !== "floor");
    for (const { role, requests, ok } of probes) expect({ role, ok }).toEqual({ role, ok: requests });
  });

  test("only the platform that is measured uses its CPU", () => {
    const ns = (platform: string, phase: string) => last(platform, phase).usage["linux1"]?.cpuNs ?? 0;
    expect(ns("qemu", "reference")).toBeLessThan(ns("qemu", "stress") / 2);
  });
});

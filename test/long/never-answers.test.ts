import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAB_NEEDS, needs } from "../needs.ts";
import { trialsIn } from "../run-control.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

const LAB = `
name: never
host: { cpus: 1 }
images:
  mute:
    recipe: plain
    services:
      mute:
        command:
          - perl
          - -MIO::Socket::INET
          - -e
          - 'my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 100, ReuseAddr => 1) or die; while (my $c = $s->accept) { push @open, $c }'
networks: { lan: { subnet: 10.26.0.0/24 } }
domains:
  mute: { image: mute, cpus: 0.3, memory: 64M, pids: 64, sites: [{ name: mute }] }
`;

const EXPERIMENT = `
name: never
lab: lab.yaml
platforms: [container]
seed: 1
blocks: 1
duration: 1s
probes: [{ probe: http, target: mute, timeout: 1s }]
annex: { blocks: 0 }
phases: { reference: {} }
`;

needs(...LAB_NEEDS)("a server that takes connections and never answers", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    writeFileSync(join(sandbox.folder, "lab.yaml"), LAB);
    writeFileSync(join(sandbox.folder, "experiment.yaml"), EXPERIMENT);
  });
  afterAll(() => sandbox.close());

  test("makes every trial invalid, and the run comes to its end", async () => {
    const before = sandbox.snapshot();
    const folder = join(sandbox.folder, "run");
    const { ended } = sandbox.start([
      process.execPath,
      PROGRAM,
      "run",
      join(sandbox.folder, "experiment.yaml"),
      "--out",
      folder,
    ]);
    const { code, stderr } = await ended;
    expect({ code, stderr }).toMatchObject({ code: 1 });
    expect(trialsIn(folder).map(({ attempt, reasons }) => ({ attempt, reasons }))).toEqual(
      [1, 2, 3].map((attempt) => ({ attempt, reasons: ["mute did not answer within 30 s before the trial"] })),
    );
    expect(sandbox.snapshot()).toEqual(before);
  });
});

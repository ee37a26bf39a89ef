import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

const LAB = `
name: machines
platform: qemu
images: { web: { recipe: web }, plain: { recipe: plain } }
networks:
  lan: { subnet: 10.78.0.0/24 }
domains:
  www: { image: web, cpus: 0.8, memory: 192M, pids: 200, disk: 512M, sites: [{ name: www }] }
  two: { image: plain, memory: 128M, services: [], nics: [{ network: lan, address: dhcp }] }
`;

/** Milliseconds after which an `up` is killed from outside; drawn once, to be the same each time. */
const UP_DELAYS_MS = [230, 410, 610, 790, 940, 1300, 1700, 2300, 2900, 4300];

needs(
  ...LAB_NEEDS,
  "qemu",
  "busybox",
  "apt",
)("a lab of virtual machines whose up is killed", () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
  });
  afterAll(() => sandbox.close());

  test("leaves nothing behind after down", async () => {
    const file = join(sandbox.folder, "lab.yaml");
    writeFileSync(file, LAB);
    const before = sandbox.snapshot();
    // Images are made ready once, beforehand.
    sandbox.succeed("up", file);
    sandbox.succeed("down", "machines");
    for (const delayMs of UP_DELAYS_MS) {
      const { child, ended } = sandbox.start([process.execPath, PROGRAM, "up", file]);
      setTimeout(() => child.kill("SIGKILL"), delayMs);
      await ended;
      sandbox.succeed("down", "--all");
      expect({ delayMs, ...sandbox.snapshot() }).toEqual({ delayMs, ...before });
    }
  });
});

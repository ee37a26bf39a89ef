import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { expectAsPredicted, machinesOf, NETWORK_EXAMPLES } from "../network-example.ts";
import { createSandbox, prepareProgram, type Sandbox } from "../sandbox.ts";

/** Of one example: six machines are emulated by two processors, which may have other work. */
const MOST_MS = 300_000;

needs(
  ...LAB_NEEDS,
  "qemu",
  "busybox",
  "apt",
  "openvswitch",
)("the network modes with virtual machines", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
  });
  afterEach(() => void sandbox.cloison("down", "--all"));
  afterAll(() => sandbox.close());

  const succeed = (...args: string[]) => sandbox.succeed(...args);

  test.each(NETWORK_EXAMPLES)(
    "%s: who reaches whom is as predicted",
    (example) => {
      const file = join(sandbox.folder, `${example}.yaml`);
      const lab = machinesOf(example, { platform: "qemu" });
      writeFileSync(file, lab);
      succeed("up", file);
      const { stdout, stderr } = sandbox.cloison("net", "verify", example, "--json");
      if (!stdout.startsWith("{")) throw new Error(stderr);
      console.log(expectAsPredicted(example, lab, stdout));
      if (example === "bridge") {
        expect(succeed("exec", example, "slow", "--", "tc", "qdisc", "show", "dev", "eth0")).toMatch(
          /tbf .*rate 2Mbit/,
        );
      }
      if (example === "routed") {
        expect(succeed("net", "why", example, "web", "mail", "--confirm")).toContain(
          "a real packet: reachable (echo-reply)",
        );
      }
      succeed("down", example);
      expect(sandbox.snapshot()).toEqual(before);
    },
    MOST_MS,
  );
});

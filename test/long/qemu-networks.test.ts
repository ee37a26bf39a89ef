import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { VerifiedRow } from "../../src/app/network/verify.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, type Sandbox } from "../sandbox.ts";

/** The least that a guest may have. */
const MEMORY = "96M";
/** Of one example: six machines are emulated by two processors, which may have other work. */
const MOST_MS = 300_000;

/** An example of the network modes, with a machine for each of its domains. */
function machinesOf(example: string): string {
  const text = readFileSync(new URL(`../../examples/networks/${example}.yaml`, import.meta.url), "utf8");
  const lab = parse(text) as { domains: Record<string, object> };
  for (const [name, domain] of Object.entries(lab.domains)) lab.domains[name] = { ...domain, memory: MEMORY };
  return stringify({ ...lab, platform: "qemu", name: example });
}

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

  test.each(["bridge", "routed", "nat", "vlan-dmz", "mixed"])(
    "%s: who reaches whom is as predicted",
    (example) => {
      const file = join(sandbox.folder, `${example}.yaml`);
      writeFileSync(file, machinesOf(example));
      succeed("up", file);
      const { stdout, stderr } = sandbox.cloison("net", "verify", example, "--json");
      if (!stdout.startsWith("{")) throw new Error(stderr);
      const { rows, findings, selfReported, notAsked } = JSON.parse(stdout) as {
        rows: VerifiedRow[];
        findings: string[];
        selfReported: string[];
        notAsked: number;
      };
      const wrong = rows.filter(({ mismatches }) => mismatches.length > 0);
      expect(wrong.map(({ question, mismatches }) => ({ question, mismatches }))).toEqual([]);
      expect({ findings, notAsked }).toEqual({ findings: [], notAsked: 0 });
      const domains = Object.keys((parse(readFileSync(file, "utf8")) as { domains: object }).domains);
      const asked = rows.filter(({ question }) => selfReported.includes(question.from));
      // What machines asked was answered, and was not; in a bridge everybody reaches everybody.
      expect(domains.every((name) => selfReported.some((guest) => guest.startsWith(name)))).toBe(true);
      expect(new Set(asked.map(({ observation }) => observation.outcome))).toEqual(
        new Set(example === "bridge" ? ["reachable"] : ["reachable", "blocked"]),
      );
      if (example === "bridge") {
        expect(succeed("exec", example, "slow", "--", "tc", "qdisc", "show", "dev", "eth0")).toMatch(
          /tbf .*rate 2Mbit/,
        );
      }
      console.log(
        `${example}: ${rows.length} questions, ${asked.length} of them from inside ${selfReported.length} machines`,
      );
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

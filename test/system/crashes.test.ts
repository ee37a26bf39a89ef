import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LAB_NEEDS, needs } from "../needs.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

const LAB = `
name: fragile
images: { plain: { recipe: plain } }
networks:
  lan: { subnet: 10.77.0.0/24 }
domains:
  one: { image: plain, memory: 64M, pids: 64, disk: 16M }
  two: { image: plain, memory: 64M, pids: 64, nics: [{ network: lan, address: dhcp }] }
`;

/** Every so many-th effect is tried: a step that has no divisor in common with the two domains' rhythm. */
const EFFECT_STRIDE = 5;

/** The same for apply, which has fewer. */
const APPLY_STRIDE = 3;

/** Milliseconds after which `up` and `down` are killed from outside; drawn once, to be the same each time. */
const UP_DELAYS_MS = [171, 214, 263, 307, 352, 396, 441, 517];
const DOWN_DELAYS_MS = [148, 183, 226, 274];

needs(...LAB_NEEDS)("after a crash, down --all leaves the machine as it was before the lab", () => {
  const program = join(process.cwd(), `dist/crash-program-${process.pid}.mjs`);
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let file = "";

  beforeAll(async () => {
    prepareProgram();
    await build({
      entryPoints: [fileURLToPath(new URL("../crash-program.ts", import.meta.url))],
      outfile: program,
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      loader: { ".php": "text", ".conf": "text" },
    });
    sandbox = await createSandbox();
    file = join(sandbox.folder, "lab.yaml");
    writeFileSync(file, LAB);
    before = sandbox.snapshot();
  });
  afterAll(async () => {
    await sandbox.close();
    rmSync(program, { force: true });
  });

  function restored(after: string): void {
    const { code, stdout, stderr } = sandbox.cloison("down", "--all");
    expect({ after, code, said: code === 0 ? "" : stdout + stderr }).toEqual({ after, code: 0, said: "" });
    expect({ after, ...sandbox.snapshot() }).toEqual({ after, ...before });
  }
  const crash = (...args: (string | number)[]) => sandbox.run([process.execPath, program, ...args.map(String)]);
  const countsOf = (...args: string[]) =>
    JSON.parse(crash(...args, "effect", "before", 0).stdout) as Record<"journal" | "effect", number>;
  /** Of memory, as the kernel has them. */
  const limits = () =>
    ["one", "two"].map((domain) =>
      sandbox
        .run([
          "sh",
          "-c",
          `cat /sys/fs/cgroup/memory/cloison/fragile/${domain}/memory.limit_in_bytes || cat /sys/fs/cgroup/cloison/fragile/${domain}/memory.max`,
        ])
        .stdout.trim(),
    );
  const survives = (...args: (string | number)[]) => {
    // Killed, not ended by an error of its own; or at its end, as it waits for the lease now longer and now shorter.
    const { code, stderr } = crash(...args);
    const moment = args.join(" ");
    expect({ moment, code: code ?? 0, stderr }).toEqual({ moment, code: 0, stderr: "" });
    restored(moment);
    return code === null;
  };

  test("before, within and after every entry of the journal", () => {
    const { journal } = countsOf("up", file);
    restored("up");
    expect(journal).toBeGreaterThanOrEqual(3);
    for (let n = 1; n <= journal; n++) {
      for (const moment of ["before", "within", "after"]) expect(survives("up", file, "journal", moment, n)).toBe(true);
    }
  });

  test("between effects of up", () => {
    const { effect } = countsOf("up", file);
    restored("up");
    let crashes = 0;
    for (let n = 1; n <= effect; n += EFFECT_STRIDE) {
      if (survives("up", file, "effect", n % 2 === 0 ? "before" : "after", n)) crashes += 1;
    }
    expect(crashes).toBeGreaterThan(5);
  });

  test("between effects of down", () => {
    expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
    const { effect } = countsOf("down", file);
    for (let n = 1; n <= effect; n += EFFECT_STRIDE) {
      expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
      survives("down", file, "effect", "after", n);
    }
  });

  test("a crash of a change: up again completes it, whatever the file says by then", () => {
    expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
    const changed = join(sandbox.folder, "changed.yaml");
    // Both are made anew for it.
    writeFileSync(changed, LAB.replaceAll("memory: 64M", "memory: 80M, io: { readIops: 5000 }"));
    for (const n of [1, 2]) {
      // A domain is as the new file says when it is killed; the old file is asked for again.
      expect(crash("up", changed, "journal", "after", n)).toMatchObject({ code: null });
      expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
      expect(limits()).toEqual([`${64 * 2 ** 20}`, `${64 * 2 ** 20}`]);
    }
    restored("change");
  });

  test("a crash of a change of limits: up again sets them, under the same domains", () => {
    expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
    const pids = () => sandbox.cloison("ps", "fragile", "--json").stdout.match(/"pid": ?\d+/g);
    const [before, changed] = [pids(), join(sandbox.folder, "changed.yaml")];
    expect(before).toHaveLength(2);
    writeFileSync(changed, LAB.replaceAll("64M", "80M"));
    const { effect } = countsOf("up", changed);
    expect(limits()).toEqual([`${80 * 2 ** 20}`, `${80 * 2 ** 20}`]);
    expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
    let crashes = 0;
    for (let n = 1; n <= effect; n += EFFECT_STRIDE) {
      if (crash("up", changed, "effect", "after", n).code === null) crashes += 1;
      expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
      expect({ n, limits: limits() }).toEqual({ n, limits: [`${64 * 2 ** 20}`, `${64 * 2 ** 20}`] });
    }
    expect(crashes).toBeGreaterThan(2);
    expect(pids()).toEqual(before);
    restored("limits");
  });

  test("a crash of an apply: the next one completes it, there or back", () => {
    expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
    const changed = join(sandbox.folder, "changed.yaml");
    // A rate, an anti-spoofing that is off, another address: tc, nft and netlink; no domain is made anew.
    const nic = "nics: [{ network: lan, address: 10.77.0.99, rate: { in: 10M }, antispoof: false }]";
    writeFileSync(changed, LAB.replace("disk: 16M", `disk: 16M, ${nic}`));
    const { effect } = countsOf("apply", changed);
    let [at, other] = [changed, file];
    let crashes = 0;
    for (let n = 1; n <= effect; n += APPLY_STRIDE) {
      const { code, stderr } = crash("apply", other, "effect", "after", n);
      expect({ n, code: code ?? 0, stderr }).toEqual({ n, code: 0, stderr: "" });
      if (code === null) crashes += 1;
      // Every other time what is asked for by then is the state before.
      if (crashes % 2 === 0) [at, other] = [other, at];
      expect({ n, ...sandbox.cloison("apply", at) }).toMatchObject({ n, code: 0, stderr: "" });
      const { stdout } = sandbox.cloison("net", "diff", "fragile");
      expect({ n, stdout }).toEqual({ n, stdout: "nothing differs from the plan\n" });
    }
    expect(crashes).toBeGreaterThan(5);
    restored("apply");
  });

  test("at any moment of up and of down", async () => {
    for (const delayMs of UP_DELAYS_MS) {
      const { child, ended } = sandbox.start([process.execPath, PROGRAM, "up", file]);
      setTimeout(() => child.kill("SIGKILL"), delayMs);
      await ended;
      restored(`up, killed after ${delayMs} ms`);
    }
    for (const delayMs of DOWN_DELAYS_MS) {
      expect(sandbox.cloison("up", file)).toMatchObject({ code: 0 });
      const { child, ended } = sandbox.start([process.execPath, PROGRAM, "down", "fragile"]);
      setTimeout(() => child.kill("SIGKILL"), delayMs);
      await ended;
      restored(`down, killed after ${delayMs} ms`);
    }
  });
});

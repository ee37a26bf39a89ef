import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { DomainRow } from "../../src/app/inspect.ts";
import type { Snapshot } from "../../src/app/snapshots.ts";
import type { KernelSnapshot } from "../kernel-snapshot.ts";
import { LAB_NEEDS, needs } from "../needs.ts";
import { createSandbox, prepareProgram, PROGRAM, type Sandbox } from "../sandbox.ts";

/** A machine in which a program counts in its memory, ten times a second; its address is leased. */
const LAB = `
name: machine
platform: qemu
images:
  plain:
    recipe: plain
    services:
      counter: { command: [sh, -c, "n=0; while :; do n=$((n+1)); echo $n >/run/count; sleep 0.1; done"] }
networks:
  lan: { subnet: 10.78.0.0/24 }
domains:
  one: { image: plain, memory: 128M, pids: 64, disk: 64M, nics: [{ network: lan, address: dhcp }] }
`;

needs(
  ...LAB_NEEDS,
  "qemu",
  "busybox",
  "apt",
)("snapshots of virtual machines", () => {
  let sandbox: Sandbox;
  let before: KernelSnapshot;
  let file = "";

  beforeAll(async () => {
    prepareProgram();
    sandbox = await createSandbox();
    before = sandbox.snapshot();
    file = join(sandbox.folder, "lab.yaml");
    writeFileSync(file, LAB);
    succeed("up", file);
  });
  afterAll(async () => {
    succeed("down", "machine");
    for (const { name } of snapshots()) succeed("snapshot", "remove", "machine", "one", name);
    const after = sandbox.snapshot();
    await sandbox.close();
    expect(after).toEqual(before);
  });

  const succeed = (...args: string[]) => sandbox.succeed(...args);
  const inside = (script: string) => succeed("exec", "machine", "one", "--", "sh", "-ec", script);
  const count = () => Number(inside("cat /run/count"));
  const row = () => (JSON.parse(succeed("ps", "machine", "--json")) as DomainRow[])[0];
  const snapshots = () => JSON.parse(succeed("snapshot", "list", "machine", "--json")) as Snapshot[];
  const refusal = (...args: string[]) => {
    const { code, stderr } = sandbox.cloison("snapshot", ...args);
    return `${code}: ${stderr}`;
  };
  const reached = () =>
    sandbox.run(["nsenter", "--net=/run/netns/cloison.machine.station", "ping", "-c1", "-W5", "10.78.0.11"]).code === 0;

  test("a counter in memory and a file go back, and the machine goes on", async () => {
    inside("echo mine >/root/file");
    const runs = row()?.pid;
    const atLeast = count();
    const made = JSON.parse(succeed("snapshot", "create", "machine", "one", "good", "--json")) as Snapshot;
    expect(made).toMatchObject({ platform: "qemu", memory: true });
    expect(row()).toMatchObject({ pid: runs, state: "running" });
    const atMost = count();
    expect(atMost).toBeGreaterThanOrEqual(atLeast);
    inside("echo other >/root/file; sync");
    await vi.waitFor(() => expect(count()).toBeGreaterThan(atMost + 50), { timeout: 60_000, interval: 500 });

    const wentOn = count();
    succeed("snapshot", "restore", "machine", "one", "good");
    expect(inside("cat /root/file")).toBe("mine\n");
    const now = count();
    expect(now).toBeGreaterThanOrEqual(atLeast);
    expect(now).toBeLessThan(wentOn);
    await vi.waitFor(() => expect(count()).toBeGreaterThan(now), { timeout: 10_000 });
    // Its clock has not stood still, its network is there.
    expect(Math.abs(Number(inside("date +%s")) - Date.now() / 1000)).toBeLessThan(10);
    expect(reached()).toBe(true);
    expect(succeed("net", "diff", "machine")).toBe("nothing differs from the plan\n");
  });

  test("it wakes in a lab that was made anew, where its address was leased to nobody", () => {
    succeed("down", "machine");
    succeed("up", file);
    const fresh = count();
    succeed("snapshot", "restore", "machine", "one", "good");
    expect(count()).toBeGreaterThan(fresh);
    expect(reached()).toBe(true);
    expect(inside("ip -4 -o addr show eth0")).toContain("10.78.0.11/24");
  });

  test("one that is killed while it copies lets the machine go on, and leaves no snapshot", async () => {
    const building = join(sandbox.state, "labs/machine/snapshot/data/memory.zst");
    const { child, ended } = sandbox.start([process.execPath, PROGRAM, "snapshot", "create", "machine", "one", "cut"]);
    await vi.waitFor(() => expect(existsSync(building) && statSync(building).size > 0).toBe(true), {
      timeout: 20_000,
      interval: 2,
    });
    child.kill("SIGKILL");
    await ended;
    await vi.waitFor(() => expect(row()?.state).toBe("running"), { timeout: 20_000, interval: 200 });
    const stood = count();
    await vi.waitFor(() => expect(count()).toBeGreaterThan(stood), { timeout: 10_000 });
    expect(snapshots().map(({ name }) => name)).toEqual(["good"]);
  });

  test("of a paused one nothing moves; without memory a machine is started on its disk", () => {
    inside("echo before >/root/file");
    succeed("snapshot", "create", "machine", "one", "disk", "--disk-only");
    succeed("pause", "machine", "one");
    succeed("snapshot", "create", "machine", "one", "paused");
    expect(row()?.state).toBe("paused");
    succeed("resume", "machine", "one");
    inside("echo after >/root/file");
    const counted = count();
    succeed("snapshot", "restore", "machine", "one", "disk");
    expect(inside("cat /root/file")).toBe("before\n");
    expect(count()).toBeLessThan(counted);
    expect(succeed("snapshot", "list", "machine")).toMatch(/ good .* qemu +disk, memory .*\n.* disk .* qemu +disk +\d/);
  });

  test("what is not of such a machine is refused, and the machine goes on as it is", () => {
    writeFileSync(file, LAB.replace("128M", "144M"));
    succeed("up", file);
    const runs = row()?.pid;
    expect(refusal("restore", "machine", "one", "good")).toMatch(
      /^5: the memory of domain one is not this machine's: it had the hardware -m 128M, and has -m 144M\n {2}--disk-only/,
    );
    expect(row()?.pid).toBe(runs);
    succeed("snapshot", "restore", "machine", "one", "good", "--disk-only");
    writeFileSync(file, LAB.replace("64M, nics", "80M, nics"));
    succeed("up", file);
    expect(refusal("restore", "machine", "one", "disk")).toMatch(
      /^5: the snapshot lies on another disk than domain one/,
    );
  });
});

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { kernelCgroupTree } from "../../src/host/cgroup-tree.ts";
import { createControlGroups } from "../../src/host/control-groups.ts";
import { createProcesses } from "../../src/host/processes.ts";
import { createRealHost } from "../../src/host/real.ts";
import { needs } from "../needs.ts";

const host = createRealHost();
/** Of this run alone. */
const PREFIX = `hosttest${process.pid}`;
const mountTable = () => execFileSync("cat", ["/proc/self/mountinfo"], { encoding: "utf8" });
const currentNamespace = () => readlinkSync("/proc/thread-self/ns/net");

function isAlive(pid: number): boolean {
  const found = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return found.status === 0 && !found.stdout.startsWith("Z");
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await host.clock.sleep(5);
}

let scratch = "";
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), `${PREFIX}-`));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

needs("root", "netns")("named network namespaces", () => {
  // So many that a second process makes half of them.
  const names = Array.from({ length: 100 }, (_, index) => `${PREFIX}.n${index}`);
  afterAll(() => host.namespaces.remove(names));

  test("are iproute2's own, each another; this thread stays where it was, and nothing is left behind", async () => {
    const before = currentNamespace();
    await host.namespaces.create(names);
    expect(currentNamespace()).toBe(before);
    const listed = execFileSync("ip", ["netns", "list"], { encoding: "utf8" });
    for (const name of names) expect(listed.split(/\s+/)).toContain(name);
    const inside = names.map((name) => host.namespaces.within(name, currentNamespace));
    expect(new Set([...inside, before]).size).toBe(names.length + 1);

    await host.namespaces.remove(names);
    await host.namespaces.remove(names);
    expect((await host.namespaces.list()).filter((name) => name.startsWith(PREFIX))).toEqual([]);
    const left = mountTable();
    expect(left).not.toContain(PREFIX);
    // Other labs may have come or be there; with none of them, nor is the mount that held ours.
    if ((await host.namespaces.list()).length === 0) expect(left).not.toContain("/run/netns");
  });

  test("survive another program's `ip netns add`, and go although it came between", async () => {
    const [ours = "", theirs = ""] = names;
    await host.namespaces.create([ours]);
    execFileSync("ip", ["netns", "add", theirs]);
    await host.namespaces.remove([ours]);
    expect(await host.namespaces.list()).toContain(theirs);
    expect(await host.namespaces.list()).not.toContain(ours);
    await host.namespaces.remove([theirs]);
    expect(await host.namespaces.list()).not.toContain(theirs);
  });

  test("a batch that fails leaves none of its own, and keeps what was there", async () => {
    for (const batch of [names.slice(0, 3), names]) {
      const there = batch.at(-2) ?? "";
      await host.namespaces.create([there]);
      await expect(host.namespaces.create(batch)).rejects.toThrow(`${there} exists already`);
      expect((await host.namespaces.list()).filter((name) => name.startsWith(PREFIX))).toEqual([there]);
      await host.namespaces.remove([there]);
    }
  });

  test("one that a crash left half-made can be removed, and made", async () => {
    const [name = ""] = names;
    mkdirSync("/run/netns", { recursive: true });
    writeFileSync(host.namespaces.path(name), "");
    await host.namespaces.create([name]);
    expect(host.namespaces.within(name, currentNamespace)).not.toBe(currentNamespace());
    await host.namespaces.remove([name]);
    mkdirSync("/run/netns", { recursive: true });
    writeFileSync(host.namespaces.path(name), "");
    await host.namespaces.remove([name]);
    expect(await host.namespaces.list()).not.toContain(name);
  });

  test("an error inside brings the thread home; a promise inside is refused", async () => {
    const [name = ""] = names;
    const before = currentNamespace();
    await host.namespaces.create([name]);
    const failing = () => {
      throw new Error("inside");
    };
    expect(() => host.namespaces.within(name, failing)).toThrow("inside");
    expect(() => host.namespaces.within(name, async () => 1)).toThrow("must be synchronous");
    expect(() => host.namespaces.within(`${PREFIX}.none`, () => 1)).toThrow("there is no network namespace");
    expect(currentNamespace()).toBe(before);
    await host.namespaces.remove([name]);
  });

  test("a netlink socket opened inside sees only what is inside", async () => {
    const [name = ""] = names;
    await host.namespaces.create([name]);
    execFileSync("ip", ["-n", name, "link", "add", "seen0", "type", "veth", "peer", "name", "seen1"]);
    const socket = host.namespaces.netlink(name);
    expect(socket.links().map((link) => link.name)).toEqual(expect.arrayContaining(["lo", "seen0", "seen1"]));
    socket.close();
    const machine = host.namespaces.netlink(null);
    expect(machine.links().map((link) => link.name)).not.toContain("seen0");
    machine.close();
    await host.namespaces.remove([name]);
  });
});

needs("root", "netns")("processes", () => {
  const namespace = `${PREFIX}.process`;
  const cgroup = `cloison/${PREFIX}/process`;
  afterAll(async () => {
    await host.namespaces.remove([namespace]);
    await host.cgroups.destroy(`cloison/${PREFIX}`, 5000);
  });

  test("land in every hierarchy and in the namespace, and the machine's /sys stays in sight", async () => {
    await host.namespaces.create([namespace]);
    const script = "cat /proc/self/cgroup; readlink /proc/self/ns/net; nice; ls /sys/fs/cgroup; echo $PPID $$";
    const output = await host.processes.must({ argv: ["sh", "-c", script], namespace, cgroup, nice: -3, cpus: [0] });
    const memberships = [...output.matchAll(/^\d+:[^:]*:(.*)$/gm)].filter(([, path]) => path === `/${cgroup}`);
    expect(memberships.length).toBe(host.cgroups.directories(cgroup).length);
    expect(output).toContain(host.namespaces.within(namespace, currentNamespace));
    expect(output).toContain("\n-3\n");
    expect(output).toContain(host.cgroups.version === 1 ? "\nmemory\n" : "\ncgroup.procs\n");
    // Each wrapper becomes the next: no shell stands between.
    expect(output).toMatch(new RegExp(`\n${process.pid} \\d+\n$`));
  });

  test("a program that is missing is told apart from one that fails, also inside", async () => {
    await expect(host.processes.run({ argv: ["cloison-none"], namespace, cgroup })).rejects.toThrow("is not installed");
    expect(await host.processes.run({ argv: ["sh", "-c", "exit 127"], namespace, cgroup })).toMatchObject({
      code: 127,
    });
  });
});

needs("root")("control groups", () => {
  const parent = `cloison/${PREFIX}cg`;
  afterAll(() => host.cgroups.destroy(parent, 10_000));

  test("the end of a group ends a fork bomb, and leaves no directory", async () => {
    const group = `${parent}/bomb`;
    const memoryFile = host.cgroups.version === 1 ? "memory.limit_in_bytes" : "memory.max";
    await host.cgroups.write(group, "pids", "pids.max", "64");
    await host.cgroups.write(group, "memory", memoryFile, String(256 * 1024 * 1024));
    // Every process ends itself, should the test die.
    const bomb = ["perl", "-e", "$end = time + 20; while (time < $end) { fork }"] as [string, ...string[]];
    const running = await host.processes.start({ argv: bomb, cgroup: group });
    while ((await host.cgroups.pids(group)).length < 60) await host.clock.sleep(5);
    await host.cgroups.destroy(group, 10_000);
    expect(await running.exited).toMatchObject({ signal: "SIGKILL" });
    expect(await host.cgroups.pids(group)).toEqual([]);
    expect(await host.cgroups.children(parent)).not.toContain("bomb");
    await host.cgroups.destroy(group, 1000);
  });

  test("processes of groups below end too; those of the neighbour go on", async () => {
    const sleep = (cgroup: string) => host.processes.start({ argv: ["sleep", "60"], cgroup });
    const [one, two, neighbour] = await Promise.all([
      sleep(`${parent}/a/x`),
      sleep(`${parent}/a/y`),
      sleep(`${parent}/b`),
    ]);
    const joined = async () => (await host.cgroups.pids(`${parent}/a`)).length === 2;
    while (!(await joined()) || (await host.cgroups.pids(`${parent}/b`)).length === 0) await host.clock.sleep(5);
    await host.cgroups.destroy(`${parent}/a`, 10_000);
    expect(await one.exited).toMatchObject({ signal: "SIGKILL" });
    expect(await two.exited).toMatchObject({ signal: "SIGKILL" });
    expect(await host.cgroups.pids(parent)).toEqual([neighbour.pid]);
    await host.cgroups.destroy(parent, 10_000);
    expect(await neighbour.exited).toMatchObject({ signal: "SIGKILL" });
  });
});

needs("root")("control groups of version 2", () => {
  test("are joined and ended, on a hierarchy of its own view without controllers", async () => {
    const target = join(scratch, "unified");
    mkdirSync(target);
    host.mounts.mount({ source: "none", target, type: "cgroup2" });
    try {
      const mountInfo = `1 2 0:3 / ${target} rw - cgroup2 none rw\n`;
      const groups = createControlGroups({ tree: kernelCgroupTree, mountInfo, clock: host.clock, ownPid: process.pid });
      const processes = createProcesses(groups, host.namespaces, process.env);
      const group = `cloison/${PREFIX}v2`;
      const running = await processes.start({ argv: ["sh", "-c", "sleep 60 & sleep 60"], cgroup: `${group}/inner` });
      while ((await groups.pids(group)).length < 3) await host.clock.sleep(5);
      expect(readFileSync(`/proc/${running.pid}/cgroup`, "utf8")).toContain(`0::/${group}/inner\n`);
      await groups.destroy(group, 5000);
      expect(await running.exited).toMatchObject({ signal: "SIGKILL" });
      expect(await groups.children("cloison")).not.toContain(`${PREFIX}v2`);
    } finally {
      host.mounts.unmount(target);
    }
  });
});

needs("root")("what outlives its starter", () => {
  /** Takes the lock, starts one program that may outlive it and one that may not, and waits to be killed. */
  const script = (directory: string) => `
    import { createRealHost } from ${JSON.stringify(join(import.meta.dirname, "../../src/host/real.ts"))};
    const host = createRealHost();
    const lock = host.tryLock(${JSON.stringify(join(directory, "lock"))});
    const kept = await host.processes.start({ argv: ["sleep", "61"], timeoutMs: 30000 }, { detached: true });
    const ended = await host.processes.start({ argv: ["sleep", "62"] });
    console.log(JSON.stringify({ locked: lock !== null, kept: kept.pid, ended: ended.pid }));
    await host.clock.sleep(60000);
  `;

  test("kill -9 frees the lock, though a child lives on; what was not detached ends", async () => {
    const path = join(scratch, "lock");
    const argv = ["--import", "tsx", "--input-type=module", "-e", script(scratch)];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { locked, kept, ended } = JSON.parse(String(line)) as { locked: boolean; kept: number; ended: number };
    expect(locked).toBe(true);
    expect(host.tryLock(path)).toBeNull();
    expect(spawnSync("flock", ["-n", path, "true"]).status).toBe(1);
    expect(readFileSync(path, "utf8")).toBe(`${child.pid}\n`);

    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isAlive(kept)).toBe(true);
    const lock = host.tryLock(path);
    expect(lock).not.toBeNull();
    lock?.release();
    await until(() => !isAlive(ended));
    process.kill(-kept, "SIGKILL");
    await until(() => !isAlive(kept));
  });

  test("a detached program's deadline holds", async () => {
    const running = await host.processes.start({ argv: ["sleep", "63"], timeoutMs: 200 }, { detached: true });
    expect(await running.exited).toMatchObject({ signal: "SIGKILL", timedOut: true });
  });
});

needs("root")("mounts", () => {
  test("removing refuses to cross a mount point, tmpfs or bind, and takes nothing away before", async () => {
    for (const mount of [
      { source: "tmpfs", type: "tmpfs", target: join(scratch, "tree/z on top") },
      { source: join(scratch, "kept"), type: "none", target: join(scratch, "tree/z on top"), flags: ["bind" as const] },
    ]) {
      mkdirSync(mount.target, { recursive: true });
      mkdirSync(join(scratch, "kept"), { recursive: true });
      writeFileSync(join(scratch, "tree/a"), "a");
      host.mounts.mount(mount);
      writeFileSync(join(mount.target, "precious"), "kept");
      await expect(host.files.remove(join(scratch, "tree"))).rejects.toThrow(`is mounted on ${mount.target}`);
      await expect(host.files.remove(mount.target)).rejects.toThrow(`is mounted on ${mount.target}`);
      expect(readFileSync(join(mount.target, "precious"), "utf8")).toBe("kept");
      expect(readFileSync(join(scratch, "tree/a"), "utf8")).toBe("a");
      host.mounts.unmount(mount.target);
      await host.files.remove(join(scratch, "tree"));
      expect(await host.files.exists(join(scratch, "tree"))).toBe(false);
    }
    expect(readFileSync(join(scratch, "kept/precious"), "utf8")).toBe("kept");
  });

  test("a bind mount is read-only at once when asked, and listed; unmounting twice is fine", async () => {
    const source = join(scratch, "source");
    const target = join(scratch, "target");
    mkdirSync(source);
    mkdirSync(target);
    writeFileSync(join(source, "file"), "text");
    host.mounts.mount({ source, target, type: "none", flags: ["bind", "readonly", "nosuid", "private"] });
    expect(readFileSync(join(target, "file"), "utf8")).toBe("text");
    expect(() => writeFileSync(join(target, "file"), "other")).toThrow("EROFS");
    writeFileSync(join(source, "file"), "other");
    expect((await host.mounts.list()).map((mount) => mount.target)).toContain(target);
    host.mounts.unmount(target);
    host.mounts.unmount(target);
    host.mounts.unmount(join(scratch, "none"));
    expect((await host.mounts.list()).map((mount) => mount.target)).not.toContain(target);
  });

  test("one in use is said to be busy, and goes lazily", async () => {
    const target = join(scratch, "busy");
    mkdirSync(target);
    host.mounts.mount({ source: "tmpfs", target, type: "tmpfs", data: "size=1m" });
    const running = await host.processes.start({ argv: ["sleep", "60"], cwd: target });
    expect(() => host.mounts.unmount(target)).toThrow(`cannot unmount ${target}: EBUSY`);
    host.mounts.unmount(target, { lazy: true });
    expect(statSync(target).dev).toBe(statSync(scratch).dev);
    running.kill("SIGKILL");
    await running.exited;
  });

  test("what cannot be mounted is explained", () => {
    const mount = () => host.mounts.mount({ source: "none", target: scratch, type: "no-such-type" });
    expect(mount).toThrow(`cannot mount none on ${scratch}: ENODEV`);
  });
});

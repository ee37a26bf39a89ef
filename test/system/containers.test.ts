import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Host } from "../../src/host/host.ts";
import { createContainerPlatform } from "../../src/platforms/container/container-platform.ts";
import { createScratchLab, type ScratchLab } from "../contract/scratch-lab.ts";
import { smallDomain } from "../contract/small-plan.ts";
import { needs } from "../needs.ts";
import { makeSmallRootfs } from "./small-rootfs.ts";

const MIB = 2 ** 20;

needs(
  "root",
  "runc",
  "overlay",
  "loop",
  "busybox",
  "tini",
)("a container", () => {
  const platform = createContainerPlatform();
  const lab = `co-${process.pid}`;
  const { limits } = smallDomain(lab, "one");
  let scratch: ScratchLab;

  beforeAll(async () => void (scratch = await createScratchLab(lab, platform, makeSmallRootfs)));
  afterEach(async () => {
    await scratch.tearDown();
    expect(await scratch.residue()).toEqual([]);
  });
  afterAll(() => scratch.close());

  test.each([
    ["mount a file system", "mount -t tmpfs none /tmp"],
    ["make namespaces", "unshare -m true"],
    ["reboot", "reboot -f"],
    ["make a device node", "mknod /tmp/disk b 7 0"],
    ["change its root", "chroot / true"],
    // busybox complains, and exits 0 all the same.
    ["set the clock", "date -s 2001-01-01 2>/tmp/said; cat /tmp/said >&2; ! grep -q 'not permitted' /tmp/said"],
    ["set kernel parameters", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
    ["change its network", "ip link add type veth"],
    ["use swap", "swapon /tmp"],
    ["write to /sys", "mkdir /sys/fs/cgroup/mine"],
    ["press the system's keys", "echo h > /proc/sysrq-trigger"],
  ])("cannot %s", async (_, script) => {
    const domain = await scratch.up();
    const exit = await scratch.run(domain, script);
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toMatch(/not permitted|read-only|denied|nonexistent|No such file/i);
    expect(await scratch.states()).toMatchObject({ one: { state: "running" } });
  });

  test("has the capabilities of a web server, no new privileges, a filter, and its own process numbers", async () => {
    const domain = await scratch.up();
    const status = (await scratch.run(domain, "cat /proc/self/status")).stdout;
    // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10, NET_RAW 13.
    expect(status).toMatch(/^CapBnd:\t0*24eb$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect((await scratch.run(domain, "cat /proc/1/comm")).stdout).toBe("tini\n");
    expect((await scratch.run(domain, "ulimit -Hn")).stdout.trim()).toMatch(/^\d+$/);
  });

  test("has a layer of its size: full says so inside, and takes no more outside", async () => {
    const domain = await scratch.up({ limits: { ...limits, diskBytes: 32 * MIB } });
    const before = await statfs(scratch.directory);
    const exit = await scratch.run(domain, "dd if=/dev/zero of=/tmp/fill bs=1M");
    expect(exit.code).not.toBe(0);
    expect(exit.stderr).toMatch(/No space left on device/);
    const after = await statfs(scratch.directory);
    // Others write too; a layer without limit would have taken all there is.
    expect((before.bavail - after.bavail) * before.bsize).toBeLessThan(1024 * MIB);
    expect(Number((await scratch.run(domain, "stat -c %s /tmp/fill")).stdout)).toBeLessThan(32 * MIB);
    expect((await scratch.run(domain, "rm /tmp/fill; echo again > /tmp/small; cat /tmp/small")).stdout).toBe("again\n");
  });

  test("writes to its own layer, never to the image", async () => {
    const domain = await scratch.up();
    await scratch.run(domain, "echo changed > /etc/passwd; rm -rf /usr/bin/mount");
    const image = scratch.workspace.rootfs(domain);
    expect(readFileSync(join(image, "etc/passwd"), "utf8")).toContain("guest");
    expect(existsSync(join(image, "usr/bin/mount"))).toBe(true);
  });

  test("finds its files, and none is written through a link of the image", async () => {
    const domain = await scratch.up({
      files: { "/srv/www/index.html": "hello\n", "/etc/passwd": "root:x:0:0::/:/bin/sh\n" },
    });
    expect((await scratch.run(domain, "cat /srv/www/index.html /etc/passwd")).stdout).toBe(
      "hello\nroot:x:0:0::/:/bin/sh\n",
    );
    await scratch.tearDown();
    const outside = `/run/cloison-escape-${process.pid}`;
    const path = outside.replace("/run", "/var/run");
    await expect(scratch.up({ files: { [path]: "out" } })).rejects.toThrow(/\/var\/run is a symbolic link/);
    expect(existsSync(outside)).toBe(false);
  });

  test("has its I/O limits on the disk of its layer", async () => {
    const io = { readBytesPerSecond: 5 * MIB, writeBytesPerSecond: 4 * MIB, readIops: 100, writeIops: 90 };
    await scratch.up({ limits: { ...limits, diskBytes: 32 * MIB, io } });
    const loop = (await scratch.host.mounts.list()).find(({ target }) => target.endsWith("/one/layer"))?.source ?? "";
    const device = readFileSync(`/sys/class/block/${loop.replace("/dev/", "")}/dev`, "utf8").trim();
    const read = async (controller: string, file: string) =>
      (await scratch.host.cgroups.read(`${scratch.group}/one`, controller, file))?.trim();
    if (scratch.host.cgroups.version === 2) {
      expect(await read("io", "io.max")).toBe(`${device} rbps=${5 * MIB} wbps=${4 * MIB} riops=100 wiops=90`);
      return;
    }
    expect(await read("blkio", "blkio.throttle.read_bps_device")).toBe(`${device} ${5 * MIB}`);
    expect(await read("blkio", "blkio.throttle.write_bps_device")).toBe(`${device} ${4 * MIB}`);
    expect(await read("blkio", "blkio.throttle.read_iops_device")).toBe(`${device} 100`);
    expect(await read("blkio", "blkio.throttle.write_iops_device")).toBe(`${device} 90`);
  });

  test("starts beside many others at once", async () => {
    const domains = await scratch.build(...["a", "b", "c", "d", "e", "f"].map((name) => smallDomain(lab, name)));
    await Promise.all(
      domains.map(async (domain) => {
        await platform.prepare(scratch.host, scratch.workspace, scratch.plan, domain);
        await platform.start(scratch.host, scratch.workspace, scratch.plan, domain);
      }),
    );
    const states = Object.values(await scratch.states());
    expect(states.map(({ state }) => state)).toEqual(domains.map(() => "running"));
  });

  test("says why it does not start", async () => {
    const lost = "/no/such/namespace";
    const host: Host = { ...scratch.host, namespaces: { ...scratch.host.namespaces, path: () => lost } };
    const [domain] = await scratch.build(smallDomain(lab, "one"));
    if (domain === undefined) throw new Error("no domain");
    await platform.prepare(host, scratch.workspace, scratch.plan, domain);
    await expect(platform.start(host, scratch.workspace, scratch.plan, domain)).rejects.toThrow(
      /did not start: .*no such file/s,
    );
  });

  test("does not come up after its destruction when its starter died in the middle", async () => {
    for (const ms of [0, 5, 10, 15, 20, 25, 30, 40, 60]) {
      const [domain] = await scratch.build(smallDomain(lab, "one"));
      if (domain === undefined) throw new Error("no domain");
      await platform.prepare(scratch.host, scratch.workspace, scratch.plan, domain);
      // As `start` does, by somebody who dies before it has ended.
      const directory = join(scratch.workspace.directory, "domains/one");
      await scratch.host.files.writeText(join(directory, "starting"), "");
      const runc = await scratch.host.processes.start(
        {
          argv: ["runc", "--root", `/run/cloison/runc/${lab}`, "run", "--detach", "--bundle", directory, "one"],
          output: { file: join(directory, "layer/log") },
        },
        { detached: true },
      );
      await scratch.host.clock.sleep(ms);
      await scratch.tearDown();
      await runc.exited;
      expect(await scratch.residue()).toEqual([]);
    }
  });

  test("leaves nothing behind wherever its making is broken off", async () => {
    class Crash extends Error {}
    let steps = 0;
    for (let survived = 0; ; survived += 1) {
      steps = 0;
      const host = crashing(scratch.host, () => {
        steps += 1;
        if (steps > survived) throw new Crash();
      });
      const [domain] = await scratch.build(
        smallDomain(lab, "one", { limits: { ...limits, diskBytes: 16 * MIB }, files: { "/etc/motd": "hi\n" } }),
      );
      if (domain === undefined) throw new Error("no domain");
      const making = async () => {
        await platform.prepare(host, scratch.workspace, scratch.plan, domain);
        await platform.start(host, scratch.workspace, scratch.plan, domain);
        return "made";
      };
      const outcome = await making().catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        return "broken off";
      });
      await platform.list(scratch.host, scratch.workspace, scratch.plan);
      await scratch.tearDown();
      expect(await scratch.residue()).toEqual([]);
      if (outcome === "made") break;
    }
    // Directories, file system, loop mount, overlay, file, configuration, container.
    expect(steps).toBeGreaterThan(10);
  });
});

/** A host whose every effect may be the one at which the program dies: `before` throws. */
function crashing(host: Host, before: () => void): Host {
  const watched = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, key, receiver) {
        const value: unknown = Reflect.get(target, key, receiver);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          before();
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  return {
    ...host,
    processes: watched(host.processes),
    files: watched(host.files),
    mounts: watched(host.mounts),
    cgroups: watched(host.cgroups),
  };
}

import { expect, test } from "vitest";
import { createFakeHost } from "./fake.ts";

test("records what would be done, in order, readably", async () => {
  const host = createFakeHost();
  await host.namespaces.create(["cloison.a.host", "cloison.a.lan"]);
  await host.files.writeText("/lab/config", "one\ntwo\n", 0o644);
  await host.processes.run({
    argv: ["nft", "-f", "-", "it's"],
    namespace: "cloison.a.host",
    cgroup: "cloison/a/host",
    cpus: [0, 1],
    env: { LANG: "C" },
    stdin: "table inet t\n",
  });
  host.mounts.mount({ source: "overlay", target: "/lab/root", type: "overlay", flags: ["nodev"], data: "lowerdir=/l" });
  await host.cgroups.write("cloison/a/d1", "memory", "memory.limit_in_bytes", "1000");
  const running = await host.processes.start({ argv: ["dnsmasq"] }, { detached: true });
  running.kill("SIGTERM");
  running.kill("SIGTERM");
  host.mounts.unmount("/lab/root", { lazy: true });
  await host.cgroups.destroy("cloison/a", 1000);
  await host.namespaces.remove(["cloison.a.host"]);
  await host.files.remove("/lab");
  expect(host.records.join("\n")).toBe(`create namespaces cloison.a.host cloison.a.lan
write /lab/config mode=644
    one
    two
run [namespace=cloison.a.host cgroup=cloison/a/host cpus=0,1] LANG=C nft -f - 'it'\\''s'
    table inet t
mount -t overlay -o nodev,lowerdir=/l overlay /lab/root
cgroup cloison/a/d1 memory.limit_in_bytes = 1000
start detached dnsmasq
kill 1001 SIGTERM (dnsmasq)
unmount -l /lab/root
destroy cgroup cloison/a
remove namespaces cloison.a.host
remove /lab`);
  expect(await running.exited).toMatchObject({ code: null, signal: "SIGTERM" });
  expect(await host.namespaces.list()).toEqual(["cloison.a.lan"]);
});

test("programs answer from the script", async () => {
  const host = createFakeHost({
    answers: ({ argv }) =>
      argv[0] === "ls" ? { stdout: "a\n" } : argv[0] === "sleep" ? "runs" : { code: 2, stderr: "no" },
  });
  expect(await host.processes.must({ argv: ["ls"] })).toBe("a\n");
  await expect(host.processes.must({ argv: ["rm", "x"] })).rejects.toThrow("rm x ended with 2: no");
  expect(await host.processes.run({ argv: ["sleep", "9"], timeoutMs: 500 })).toMatchObject({ timedOut: true });
  expect(host.clock.monotonicMs()).toBe(500);
});

test("files are a small file system", async () => {
  const { files } = createFakeHost({ files: { "/etc/a": "1" }, kinds: { "/etc/link": "symlink" } });
  await files.appendSynced("/etc/a", "2");
  await files.makeDirectory("/etc/empty");
  expect(await files.list("/etc")).toEqual(["a", "empty", "link"]);
  expect(await Promise.all(["/etc", "/etc/a", "/etc/link", "/x"].map((path) => files.kind(path)))).toEqual([
    "directory",
    "file",
    "symlink",
    null,
  ]);
  await files.rename("/etc", "/old");
  expect(await files.readText("/old/a")).toBe("12");
  expect(await files.list("/old")).toEqual(["a", "empty", "link"]);
  await files.remove("/old");
  expect(await files.exists("/old")).toBe(false);
  await expect(files.readText("/old/a")).rejects.toMatchObject({ code: "ENOENT" });
});

test("time passes only when somebody sleeps; a lock is held once", async () => {
  const host = createFakeHost({ locked: ["/other"] });
  const before = host.clock.nowMs();
  await host.clock.sleep(1500);
  expect(host.clock.nowMs() - before).toBe(1500);
  expect(host.tryLock("/other")).toBeNull();
  const lock = host.tryLock("/mine");
  expect(host.tryLock("/mine")).toBeNull();
  lock?.release();
  expect(host.tryLock("/mine")).not.toBeNull();
});

import { expect, test } from "vitest";
import { createFixture } from "./fixture.ts";
import { heldLabs, lockLab, removeLeftLocks, withLabLock } from "./lab-lock.ts";

const FILE = "/run/cloison/locks/demo.lock";

test("a lab that somebody holds is waited for, and then its holder is named", async () => {
  const { host, context } = createFixture({ locked: [FILE], files: { [FILE]: "1234\n" } });
  const lock = lockLab(host, context.paths, "demo", 2000);
  await expect(lock).rejects.toThrow("lab demo is in use by another cloison (pid 1234)");
  await expect(lock).rejects.toMatchObject({ exit: 4, hint: expect.stringContaining("wait for it") as string });
  expect(host.clock.monotonicMs()).toBe(2000);
});

test("is let go when the work fails; its file stays as long as the lab", async () => {
  const { host, context } = createFixture({ files: { [FILE]: "42\n", "/state/labs/demo/plan.json": "{}" } });
  const work = async () => Promise.reject(new Error("no luck"));
  await expect(withLabLock(host, context.paths, "demo", 0, work)).rejects.toThrow("no luck");
  expect(host.records).toEqual(["make directory /run/cloison/locks", `lock ${FILE}`, `unlock ${FILE}`]);
  expect(await withLabLock(host, context.paths, "demo", 0, async () => "again")).toBe("again");
});

test("its file goes with the lab, while the lock is still held: nobody may lock a file that is about to go", async () => {
  const { host, context } = createFixture({ files: { [FILE]: "42\n" } });
  await withLabLock(host, context.paths, "demo", 0, async () => undefined);
  expect(host.records.slice(1)).toEqual([`lock ${FILE}`, `remove ${FILE}`, `unlock ${FILE}`]);
});

test("files that dead processes left go, but not those of labs or of live ones", async () => {
  const locks = ["demo", "held", "left"].map((lab) => `/run/cloison/locks/${lab}.lock`);
  const { host, context } = createFixture({
    files: { ...Object.fromEntries(locks.map((file) => [file, "1\n"])), "/state/labs/demo/journal": "" },
    locked: ["/run/cloison/locks/held.lock"],
  });
  await removeLeftLocks(host, context.paths);
  expect(await host.files.list("/run/cloison/locks")).toEqual(["demo.lock", "held.lock"]);
});

test("labs that a command holds are told from those of which only a lock's file is left", async () => {
  const { host, context } = createFixture({
    files: {
      "/run/cloison/locks/left.lock": "1\n",
      "/run/cloison/locks/held.lock": "2\n",
      "/run/cloison/locks/held.uplink-0.lock": "2\n",
    },
    locked: ["/run/cloison/locks/held.lock", "/run/cloison/locks/held.uplink-0.lock"],
  });
  expect(await heldLabs(host, context.paths)).toEqual(["held"]);
});

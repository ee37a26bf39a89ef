import { expect, test } from "vitest";
import type { Undo } from "../platforms/platform.ts";
import { createFixture, type Fixture } from "./fixture.ts";
import { openJournal } from "./journal.ts";
import { TEARDOWN_DEADLINE_MS, tearDown } from "./teardown.ts";

const DIRECTORY = "/state/labs/demo";
const JOURNAL = `${DIRECTORY}/journal`;

const domain = (name: string): Undo => ({ kind: "domain", platform: "container", lab: "demo", name });
const mount = (name: string): Undo => ({ kind: "mount", target: `${DIRECTORY}/domains/${name}/root` });
const namespace = (name: string): Undo => ({ kind: "namespace", name: `cloison.demo.${name}` });
const cgroup = (name: string): Undo => ({ kind: "cgroup", group: `cloison/demo/${name}` });
const directory = (name: string): Undo => ({ kind: "directory", path: `${DIRECTORY}/domains/${name}` });

/** A journal of one lab, and then no records but those of its end. */
async function recorded(fixture: Fixture, ...entries: Undo[][]): Promise<void> {
  const { record } = openJournal(fixture.host, fixture.context.paths, "demo", 42);
  for (const undos of entries) await record(undos);
  fixture.host.records.length = 0;
}

test("processes end first; then the journal is undone, newest first; then what the kernel still shows; the journal goes last", async () => {
  const fixture = createFixture({
    namespaces: ["cloison.demo.host", "cloison.demo.lost", "cloison.demo.one", "cloison.demo2.host", "other"],
  });
  fixture.host.mounts.mount({ source: "overlay", target: `${DIRECTORY}/domains/stray/root`, type: "overlay" });
  fixture.host.mounts.mount({ source: "tmpfs", target: `${DIRECTORY}/domains/stray/root/run`, type: "tmpfs" });
  fixture.host.mounts.mount({ source: "overlay", target: "/state/labs/demo2/domains/one/root", type: "overlay" });
  await recorded(
    fixture,
    [namespace("host"), namespace("one")],
    [directory("one"), mount("one"), cgroup("one"), domain("one")],
  );
  await tearDown(fixture.context, "demo");
  expect(fixture.host.records).toEqual([
    "destroy one",
    "destroy cgroup cloison/demo",
    "destroy cgroup cloison/demo/one",
    `unmount -l ${DIRECTORY}/domains/one/root`,
    `remove ${DIRECTORY}/domains/one`,
    `unmount -l ${DIRECTORY}/domains/stray/root/run`,
    `unmount -l ${DIRECTORY}/domains/stray/root`,
    "remove namespaces cloison.demo.one cloison.demo.host cloison.demo.lost",
    "remove /run/cloison/runc/demo",
    "remove /run/cloison/qemu/demo",
    "remove /run/cloison/xen/demo",
    `remove ${DIRECTORY}`,
    "remove /run/cloison/demo",
  ]);
  expect(await fixture.host.namespaces.list()).toEqual(["cloison.demo2.host", "other"]);
});

test("a lab without a journal is removed by its names", async () => {
  const { host, context } = createFixture({ namespaces: ["cloison.demo.one"] });
  await tearDown(context, "demo");
  expect(host.records).toContain("destroy cgroup cloison/demo");
  expect(await host.namespaces.list()).toEqual([]);
});

test("what many entries name is undone once", async () => {
  const fixture = createFixture();
  await recorded(fixture, [domain("one")], [mount("one")], [domain("one")], [mount("one")]);
  await tearDown(fixture.context, "demo");
  expect(fixture.host.records.filter((line) => /destroy one|unmount/.test(line))).toHaveLength(2);
});

test("entries of another boot are not undone: their names may mean something else by now", async () => {
  const fixture = createFixture();
  await recorded(fixture, [domain("one"), mount("one")]);
  const old = fixture.host.files.texts.get(JOURNAL)?.replaceAll("00000000-", "ffffffff-") ?? "";
  fixture.host.files.texts.set(JOURNAL, old);
  await tearDown(fixture.context, "demo");
  expect(fixture.host.records.filter((line) => /destroy one|unmount/.test(line))).toEqual([]);
  expect(fixture.host.records).toContain(`remove ${DIRECTORY}`);
});

test("what cannot be removed is named, all else is removed, and the journal stays for the next time", async () => {
  const fixture = createFixture({ namespaces: ["cloison.demo.one"] });
  await recorded(fixture, [namespace("one")], [domain("one"), domain("two")]);
  fixture.failures.set("destroy two", new Error("it does not die"));
  const failure = tearDown(fixture.context, "demo");
  await expect(failure).rejects.toThrow("lab demo could not be removed wholly:\n  domain two: it does not die");
  await expect(failure).rejects.toMatchObject({ hint: "run cloison down demo again", exit: 5 });
  expect(await fixture.host.namespaces.list()).toEqual([]);
  expect(fixture.host.files.texts.has(JOURNAL)).toBe(true);

  fixture.failures.clear();
  await tearDown(fixture.context, "demo");
  expect(fixture.host.files.texts.has(JOURNAL)).toBe(false);
});

test("after its deadline it begins nothing more, and says what it did not get to", async () => {
  const fixture = createFixture();
  await recorded(fixture, [mount("one")], [domain("one")]);
  // A domain has its own share of the time.
  fixture.onStep = () => fixture.host.advance(TEARDOWN_DEADLINE_MS + 500);
  await expect(tearDown(fixture.context, "demo")).rejects.toThrow("  no time left for processes and 2 more");
  expect(fixture.host.records).toEqual(["destroy one"]);
});

test("a real interface is put back before anything of the lab goes; a failure is told, and the journal stays", async () => {
  const fixture = createFixture();
  await recorded(fixture, [namespace("lan")], [{ kind: "uplink", lan: 0 }], [domain("one")]);
  await tearDown(fixture.context, "demo");
  expect(fixture.host.records.slice(0, 4)).toEqual([
    "lock /run/cloison/locks/demo.uplink-0.lock",
    "destroy cgroup cloison/_uplink/demo.0",
    "remove /run/cloison/locks/demo.uplink-0.lock",
    "unlock /run/cloison/locks/demo.uplink-0.lock",
  ]);
  expect(fixture.host.records[4]).toBe("destroy one");

  const locked = createFixture({ locked: ["/run/cloison/locks/demo.uplink-0.lock"] });
  await recorded(locked, [{ kind: "uplink", lan: 0 }]);
  await expect(tearDown(locked.context, "demo")).rejects.toThrow("uplink 0: another cloison is at work on the uplink");
  expect(locked.host.files.texts.has(JOURNAL)).toBe(true);
});

import { expect, test } from "vitest";
import type { Undo } from "../platforms/platform.ts";
import { createFixture } from "./fixture.ts";
import { openJournal, readJournal } from "./journal.ts";

const JOURNAL = "/state/labs/demo/journal";
const UNDO: Undo = { kind: "namespace", name: "cloison.demo.one" };
const OTHER: Undo = { kind: "mount", target: "/state/labs/demo/domains/one/root" };

function journal() {
  const { host, context } = createFixture();
  const { record } = openJournal(host, context.paths, "demo", context.pid);
  return { host, record, read: () => readJournal(host, context.paths, "demo") };
}

test("an entry names who wrote it, in a line that is synced", async () => {
  const { host, record } = journal();
  await record([UNDO]);
  expect(host.records).toHaveLength(1);
  expect(host.records[0]).toMatch(new RegExp(`^append ${JOURNAL}`));
  expect(JSON.parse(host.files.texts.get(JOURNAL) ?? "")).toEqual({
    bootId: "00000000-0000-4000-8000-000000000000",
    pid: 42,
    startTime: 4200,
    atMs: Date.UTC(2026, 0, 1),
    undos: [UNDO],
  });
});

test("entries are read in the order in which they were written; nothing to undo is no entry", async () => {
  const { record, read } = journal();
  expect(await read()).toEqual([]);
  await record([]);
  await record([UNDO]);
  await record([OTHER, UNDO]);
  expect((await read()).map(({ undos }) => undos)).toEqual([[UNDO], [OTHER, UNDO]]);
});

test("a line that was cut short anywhere is no entry, and spoils none", async () => {
  const { host, record, read } = journal();
  await record([UNDO]);
  const whole = host.files.texts.get(JOURNAL) ?? "";
  const first = whole.trim().length;
  for (let length = 0; length < first; length++) {
    host.files.texts.set(JOURNAL, whole + whole.slice(0, 1 + length));
    expect((await read()).map(({ undos }) => undos)).toEqual([[UNDO]]);
    await record([OTHER]);
    expect((await read()).map(({ undos }) => undos)).toEqual([[UNDO], [OTHER]]);
  }
});

import { expect, test } from "vitest";
import { createFixture } from "./fixture.ts";
import { labNames, trialNames } from "./inventory.ts";

test("labs are found by their folder, their namespaces and their control groups", async () => {
  const { context } = createFixture({
    files: { "/state/labs/folder/journal": "" },
    namespaces: ["cloison.spaces.host", "cloison.spaces.lan", "cloison._check-1.trial", "cloisons.no.host", "default"],
    pids: { "cloison/groups/one": [], "cloison/Build-1": [] },
  });
  expect(await labNames(context)).toEqual(["folder", "groups", "spaces"]);
});

test("there are none at first", async () => {
  const { context } = createFixture();
  expect(await labNames(context)).toEqual([]);
  expect(await trialNames(context)).toEqual([]);
});

test("trials are found apart, and what is no lab's name is nobody's", async () => {
  const { context } = createFixture({
    files: {
      "/state/labs/_check/x": "",
      "/run/cloison/_check-2/config.json": "",
      "/run/cloison/locks/_check.lock": "",
    },
    namespaces: ["cloison._check-1.trial"],
    pids: { "cloison/_check": [], "cloison/_build": [] },
  });
  expect(await labNames(context)).toEqual([]);
  expect(await trialNames(context)).toEqual(["_check", "_check-1", "_check-2"]);
});

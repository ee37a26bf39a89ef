import { expect, test } from "vitest";
import { createFixture, domainPlan, labPlan, ROOTS } from "./fixture.ts";
import { labsMoved, mainPart, readMoves, waitingHere, writeMove, writeMoves, type Move } from "./moves.ts";

const move = (name: string, phase: Move["phase"]): Move => ({ host: "ssh://lab2", phase, domain: domainPlan(name, 1) });

test("moves are known until their domains are back, also of a lab that is gone", async () => {
  const { context } = createFixture();
  expect(await readMoves(context, "demo")).toEqual({});
  await writeMove(context, "demo", "one", move("one", "copying"));
  await writeMove(context, "demo", "two", move("two", "there"));
  await writeMove(context, "demo", "one", move("one", "switching"));
  const moves = await readMoves(context, "demo");
  expect(
    Object.values(moves)
      .map(({ domain, phase }) => `${domain.name} ${phase}`)
      .sort(),
  ).toEqual(["one switching", "two there"]);
  expect(await labsMoved(context)).toEqual(["demo"]);
  await writeMove(context, "demo", "one", null);
  await writeMove(context, "demo", "two", null);
  expect(await labsMoved(context)).toEqual([]);
});

test("a domain is missing here only when it was seen there", () => {
  const moves = { one: move("one", "switching"), two: move("two", "there") };
  expect(mainPart(["one", "two", "three"], moves)).toEqual({ domains: ["one", "three"], isMain: true });
  expect(mainPart(["one"], { one: move("one", "copying") })).toBe(undefined);
});

test("one whose host was lost is here, and waits until it was made", async () => {
  const { context } = createFixture();
  await writeMoves(context, "demo", {
    one: move("one", "lost"),
    two: move("two", "lost"),
    four: move("four", "there"),
  });
  const moves = await readMoves(context, "demo");
  expect(mainPart(["one", "two", "three", "four"], moves)?.domains).toEqual(["one", "two", "three"]);
  const stored = { plan: labPlan([domainPlan("one", 1), domainPlan("three", 3)]), roots: ROOTS, unsettled: null };
  expect(waitingHere(stored, moves)).toEqual(["two"]);
  expect(waitingHere({ ...stored, unsettled: ["one"] }, moves)).toEqual(["one", "two"]);
  await writeMoves(context, "demo", { one: null, two: null, four: null });
  expect(await labsMoved(context)).toEqual([]);
});

import { expect, test } from "vitest";
import { createFixture, domainPlan, labPlan, ROOTS } from "./fixture.ts";
import {
  endMove,
  labsMoved,
  mainPart,
  OWN,
  placeOf,
  readMoves,
  waitingHere,
  writeMove,
  writeMoves,
  type Move,
} from "./moves.ts";

const move = (name: string, phase: Move["phase"]): Move => ({
  from: OWN,
  to: "ssh://lab2",
  phase,
  domain: domainPlan(name, 1),
});
const back = (name: string, phase: Move["phase"]): Move => ({ ...move(name, phase), from: "ssh://lab2", to: OWN });

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
  await endMove(context, "demo", move("one", "decided"), "ssh://lab2");
  expect(Object.values(await readMoves(context, "demo")).map(placeOf)).toEqual(["ssh://lab2", "ssh://lab2"]);
  await endMove(context, "demo", back("one", "decided"), OWN);
  await writeMove(context, "demo", "two", null);
  expect(await labsMoved(context)).toEqual([]);
});

test("a domain is missing here only when it was seen there, and until it was seen here", () => {
  const moves = { one: move("one", "switching"), two: move("two", "there") };
  expect(mainPart(["one", "two", "three"], moves)).toEqual({ domains: ["one", "three"], isMain: true });
  expect(mainPart(["one"], { one: move("one", "copying") })).toBe(undefined);
  expect(mainPart(["one"], { one: move("one", "decided") })).toEqual({ domains: [], isMain: true });
  expect(mainPart(["one"], { one: back("one", "switching") })).toEqual({ domains: [], isMain: true });
  expect(mainPart(["one"], { one: back("one", "decided") })).toBe(undefined);
});

test("one whose host was lost is here, and waits until it was made", async () => {
  const { context } = createFixture();
  await writeMoves(context, "demo", {
    one: back("one", "lost"),
    two: back("two", "lost"),
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

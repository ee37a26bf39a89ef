import { expect, test } from "vitest";
import { STOP_CAUSES, type StopCause } from "../../src/model/reachability.ts";
import { drawLabs } from "./draw-labs.ts";
import { plannedLab } from "./planned-lab.ts";
import { answersFor, askedOf } from "./questions.ts";

test(
  "in the 200 labs of the bench every cause stops questions, and two in five are blocked",
  { timeout: 60_000 },
  () => {
    const stops = new Map<StopCause, number>();
    const outcomes = { reachable: 0, blocked: 0, unknown: 0 };
    for (const [i, lab] of drawLabs({ seed: 2009, count: 200, vlans: true }).entries()) {
      const { plan, state } = plannedLab(`random${i}`, lab);
      for (const { outcome, stop } of answersFor(state, plan, askedOf(plan))) {
        outcomes[outcome]++;
        if (stop !== null) stops.set(stop.cause, (stops.get(stop.cause) ?? 0) + 1);
      }
    }
    const rare = STOP_CAUSES.filter((cause) => (stops.get(cause) ?? 0) < 20);
    expect(rare).toEqual([]);
    const all = outcomes.reachable + outcomes.blocked + outcomes.unknown;
    expect(outcomes.blocked / all).toBeGreaterThan(0.42);
    expect(outcomes.unknown / all).toBeLessThan(0.01);
  },
);

import { expect, test } from "vitest";
import { LabError } from "../model/error.ts";
import type { DomainState } from "../platforms/platform.ts";
import { stageLab } from "./context.ts";
import { createFixture, domainPlan, labPlan, ROOTS, type Fixture } from "./fixture.ts";
import { watchLab, type WatchEvent } from "./watch.ts";

/** A lab of two domains that is up; `states` is what becomes of them. */
async function watched(fixture: Fixture, states: () => Partial<DomainState>) {
  const { context, host } = fixture;
  const plan = labPlan([domainPlan("a", 1), domainPlan("b", 2)]);
  context.platforms.container.list = async () => [
    { lab: plan.lab, name: "a", state: "stopped", pid: null, orphan: false, ...states() },
    { lab: plan.lab, name: "b", state: "running", pid: 7, orphan: false },
  ];
  await host.files.makeDirectory(`/state/labs/${plan.lab}`);
  await (
    await stageLab(context, { plan, roots: ROOTS })
  )();
  const events: WatchEvent[] = [];
  const over = new AbortController();
  return {
    events,
    async until(count: number) {
      await watchLab(context, plan.lab, {
        signal: over.signal,
        onEvent: (event) => {
          events.push(event);
          if (events.length === count) over.abort(new LabError("enough"));
        },
      });
    },
    /** Ends it after so long. */
    async during(ms: number) {
      const endMs = host.clock.monotonicMs() + ms;
      const list = context.platforms.container.list;
      context.platforms.container.list = async (...args) => {
        if (host.clock.monotonicMs() >= endMs) over.abort(new LabError("enough"));
        return list(...args);
      };
      await this.until(Number.POSITIVE_INFINITY);
    },
  };
}

test("a domain that died is started again after a second", async () => {
  const fixture = createFixture();
  const one = await watched(fixture, () => (fixture.running.has("a") ? { state: "running" } : { detail: "killed" }));
  await one.until(3);
  expect(one.events).toEqual([
    { event: "watching", domains: ["a", "b"] },
    { event: "died", domain: "a", detail: "killed", restartInMs: 1000 },
    { event: "restarted", domain: "a", tookMs: 0 },
  ]);
});

test("one that cannot be started is tried again, later each time", async () => {
  const fixture = createFixture();
  fixture.failures.set("start a", new LabError("no memory"));
  const one = await watched(fixture, () => ({}));
  await one.until(4);
  expect(one.events.slice(2)).toEqual([
    { event: "failed", domain: "a", detail: "no memory", restartInMs: 2000 },
    { event: "failed", domain: "a", detail: "no memory", restartInMs: 4000 },
  ]);
});

test.each([
  ["shut down by its user", { shutDown: true }],
  ["paused", { state: "paused" }],
  ["nobody's", { orphan: true, name: "other" }],
] as const)("one that is %s is let be", async (_, state) => {
  const fixture = createFixture();
  const one = await watched(fixture, () => state);
  await one.during(20_000);
  expect(one.events).toEqual([{ event: "watching", domains: ["a", "b"] }]);
});

test("while another command holds the lab nothing is started", async () => {
  const fixture = createFixture({ locked: ["/run/cloison/locks/demo.lock"] });
  const one = await watched(fixture, () => ({}));
  await one.during(20_000);
  expect(one.events.map(({ event }) => event)).toEqual(["watching"]);
  expect(fixture.host.records.join("\n")).not.toContain("start a");
});

import { expect, test } from "vitest";
import { createFakeHost } from "../host/fake.ts";
import type { LabContext } from "../lab/context.ts";
import type { LabPlan } from "../model/plan.ts";
import type { DomainState, Platform } from "../platforms/platform.ts";
import { dropQueues } from "./drop-queues.ts";
import { goOn, standStill } from "./standstill.ts";

const domains = [
  { name: "apache1", members: ["apache1"] },
  { name: "apache2", members: ["apache2"] },
];
const LAB = { plan: { lab: "l", platform: "qemu", domains } as unknown as LabPlan, roots: {} };

/** A platform that says what it is told, of domains in these states. */
function context(states: Record<string, DomainState["state"]>, canPause = true): { told: string[]; lab: LabContext } {
  const told: string[] = [];
  const tell = (word: string) => async (_host: unknown, _workspace: unknown, name: string) =>
    void told.push(`${word} ${name}`);
  const platform = {
    list: async () => Object.entries(states).map(([name, state]) => ({ lab: "l", name, state, pid: 1, orphan: false })),
    destroy: async (_host: unknown, _workspace: unknown, _lab: string, name: string) =>
      void told.push(`destroy ${name}`),
    ...(canPause ? { pausing: { pause: tell("pause"), resume: tell("resume") } } : {}),
  } as unknown as Platform;
  const lab = {
    host: createFakeHost(),
    paths: { state: "/state", run: "/run" },
    platforms: { qemu: platform },
    pid: 1,
  } as unknown as LabContext;
  return { told, lab };
}

const flood = (concurrency: number) => ({
  floods: [{ on: "apache2", path: "/compute.php", concurrency, keepAlive: false }],
});

test("a domain that would answer a flood for long after it is removed, and no other", async () => {
  const pages = [
    { platform: "qemu", target: "apache2", path: "/compute.php", aloneMs: 200, perSecond: 4 } as const,
    { platform: "qemu", target: "apache2", path: "/index.html", aloneMs: 50, perSecond: 1 } as const,
  ];
  const { told, lab } = context({});
  await dropQueues(lab, LAB, flood(40), pages);
  expect(told).toEqual([]);
  await dropQueues(lab, LAB, flood(41), pages);
  expect(told).toEqual(["destroy apache2"]);
});

test("what runs stands still, and what stands still goes on; a platform that can't is left alone", async () => {
  const states = { apache1: "running", apache2: "paused", linux1: "stopped" } as const;
  const able = context(states);
  await standStill(able.lab, LAB);
  await goOn(able.lab, LAB);
  expect(able.told).toEqual(["pause apache1", "resume apache2"]);
  const unable = context(states, false);
  await standStill(unable.lab, LAB);
  expect(unable.told).toEqual([]);
});

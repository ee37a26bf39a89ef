import { describe, expect, test } from "vitest";
import { stageLab } from "../../lab/context.ts";
import { createFixture, domainPlan, labPlan, ROOTS } from "../../lab/fixture.ts";
import { readShownFence, recordShownFence } from "../../lab/fences.ts";
import { readMoves, writeMove, type Move } from "../../lab/moves.ts";
import { LabError } from "../../model/error.ts";
import type { AppContext } from "../context.ts";
import type { HostEvent } from "./host-event.ts";
import { watchHosts } from "./watch-hosts.ts";

const HOST = "ssh://lab2";
const FENCE = { host: HOST, command: "power off" };
const life = (digit: number) => `${"0".repeat(35)}${digit} 1`;

/** A lab whose domain `a` is here, and `b` at a host that can be ended. */
interface World {
  /** The host's life; null: nobody answers by ssh. */
  life: string | null;
  /** Domain b answers on the wire. */
  wire: boolean;
  /** What the fence command does. @returns how it ends */
  fence: () => number;
}

async function createWorld({ shown = true, move = {} as Partial<Move>, locked = [] as string[] } = {}) {
  const world: World = {
    life: life(1),
    wire: true,
    fence: () => {
      Object.assign(world, { life: null, wire: false });
      return 0;
    },
  };
  const did: string[] = [];
  const fixture = createFixture({
    locked,
    answers: ({ argv }) => {
      if (argv[0] === "uname") return { stdout: "lab1\n" };
      if (argv[0] === "ssh") {
        if (world.life !== null) return { stdout: `${world.life}\n` };
        return { code: 255, stderr: "ssh: connect to host lab2 port 22: No route to host\n" };
      }
      if (argv[2] === FENCE.command) {
        did.push("fence");
        return { code: world.fence() };
      }
      // The station's question.
      if (argv[3] === "ask")
        return { stdout: world.wire ? "10.9.0.12 dev lan0 lladdr 00:16:3e:00:00:02 REACHABLE\n" : "" };
      return undefined;
    },
  });
  const { context, host } = fixture;
  const said: string[] = [];
  const app = { ...context, say: (line: string) => void said.push(line) } as unknown as AppContext;
  const domain = domainPlan("b", 2);
  const store = async (domains: ReturnType<typeof domainPlan>[]) => {
    await host.files.makeDirectory("/state/labs/demo");
    const put = await stageLab(context, { plan: labPlan(domains), roots: ROOTS });
    await put();
  };
  await store([domainPlan("a", 1)]);
  await writeMove(context, "demo", "b", { host: HOST, phase: "there", domain, ...move });
  if (shown) await recordShownFence(context, { ...FENCE, shownAt: "2026-01-01T00:00:00.000Z" });

  const events: HostEvent[] = [];
  /** Watches for so long. `at` is done when so much of it has passed. */
  async function watch(
    ms: number,
    { command = FENCE.command as string | null, at = {} as Record<number, () => void> } = {},
  ) {
    const over = new AbortController();
    const endMs = host.clock.monotonicMs() + ms;
    const due = Object.entries(at).map(([after, act]) => ({ atMs: endMs - ms + Number(after), act }));
    const { sleep } = host.clock;
    host.clock.sleep = async (forMs, signal) => {
      await sleep(forMs, signal);
      const now = host.clock.monotonicMs();
      for (const one of due.splice(0)) {
        if (now >= one.atMs) one.act();
        else due.push(one);
      }
      if (now >= endMs) over.abort(new LabError("enough"));
    };
    await watchHosts(app, "demo", {
      command,
      signal: over.signal,
      onEvent: (event) => events.push(event),
      make: async (_app, _lab, names) => {
        // Ownership is on the disk before anything is started.
        did.push(`make ${names.join()} ${(await readMoves(context, "demo"))["b"]?.phase}`);
        await store([domainPlan("a", 1), domain]);
        return new Map(names.map((name) => [name, null]));
      },
      reach: async () => ({
        async ask(what: string) {
          did.push(`ask ${what}`);
          return null as never;
        },
      }),
    });
    host.clock.sleep = sleep;
    return events.map(({ event }) => event);
  }
  const phase = async () => (await readMoves(context, "demo"))["b"]?.phase;
  return { world, did, events, watch, phase, context, host, said };
}

const die = (world: World) => () => Object.assign(world, { life: null, wire: false });

describe("a host that is missing", () => {
  test("is fenced, and what ran there is made here, once that is on record", async () => {
    const { world, did, watch, phase, events } = await createWorld();
    expect(await watch(120_000, { at: { 20_000: die(world) } })).toEqual(["fencing", "fenced", "taken-over"]);
    expect(did).toEqual(["fence", "make b lost"]);
    expect(events).toMatchObject([{ domains: ["b"] }, { how: "silent" }, { domain: "b", host: HOST, snapshot: null }]);
    expect(await phase()).toBe("lost");
  });

  test("and comes back after that: nothing of it stays there", async () => {
    const { world, did, watch, phase } = await createWorld();
    const back = () => Object.assign(world, { life: life(2) });
    expect(await watch(300_000, { at: { 20_000: die(world), 200_000: back } })).toEqual([
      "fencing",
      "fenced",
      "taken-over",
      "cleared",
    ]);
    expect(did).toEqual(["fence", "make b lost", "ask down"]);
    expect(await phase()).toBe(undefined);
  });

  test("is let be while it may only be slow, and when it is back before the fence", async () => {
    const { world, did, watch } = await createWorld();
    const back = () => Object.assign(world, { life: life(1), wire: true });
    expect(await watch(120_000, { at: { 20_000: die(world), 40_000: back } })).toEqual([]);
    expect(did).toEqual([]);
  });

  test("is let be while its domain answers on the wire; that is told once", async () => {
    const { world, did, watch, events } = await createWorld();
    expect(await watch(120_000, { at: { 20_000: () => (world.life = null) } })).toEqual(["lost"]);
    expect(events[0]).toMatchObject({ detail: "b still answers on the wire", hint: null });
    expect(did).toEqual([]);
  });

  test("is let be without a fence that was shown to work; how to show it is told once", async () => {
    const { world, did, watch, events, phase } = await createWorld({ shown: false });
    expect(await watch(300_000, { at: { 20_000: die(world) } })).toEqual(["lost"]);
    expect(events[0]).toMatchObject({
      detail: "it does not answer, but may run: that the fence command ends it was not shown",
      hint: "cloison fence-test demo ssh://lab2 --fence 'power off' shows it, once nothing of a lab is there",
    });
    expect(did).toEqual([]);
    expect(await phase()).toBe("there");
  });

  test("is let be by a watch that is to start nothing here, and told to be back", async () => {
    const { world, did, watch, events } = await createWorld();
    const back = () => Object.assign(world, { life: life(1), wire: true });
    expect(await watch(300_000, { command: null, at: { 20_000: die(world), 100_000: back } })).toEqual([
      "lost",
      "back",
    ]);
    expect(events[0]).toMatchObject({ detail: "it does not answer, but may run" });
    expect(did).toEqual([]);
  });

  test("is let be while another command holds the lab", async () => {
    const { world, did, watch } = await createWorld({ locked: ["/run/cloison/locks/demo.lock"] });
    expect(await watch(120_000, { at: { 20_000: die(world) } })).toEqual([]);
    expect(did).toEqual([]);
  });
});

describe("a fence", () => {
  test("that fails is tried again, later each time, and nothing is started", async () => {
    const { world, did, watch, events, phase } = await createWorld();
    world.fence = () => 1;
    const seen = await watch(60_000, { at: { 0: die(world) } });
    expect(seen.slice(0, 4)).toEqual(["fencing", "fence-failed", "fencing", "fence-failed"]);
    expect(events.filter(({ event }) => event === "fence-failed").slice(0, 2)).toMatchObject([
      { againInMs: 1000 },
      { againInMs: 2000 },
    ]);
    expect(did).not.toContain("make b lost");
    expect(await phase()).toBe("there");
  });

  test("that says it is done while the host goes on is trusted no more, and nothing is started", async () => {
    const { world, did, watch, events, context, phase } = await createWorld();
    world.fence = () => {
      Object.assign(world, { life: life(1), wire: true });
      return 0;
    };
    expect(await watch(300_000, { at: { 0: die(world), 250_000: die(world) } })).toEqual([
      "fencing",
      "fence-failed",
      "lost",
    ]);
    expect(events[1]).toMatchObject({
      againInMs: null,
      hint: "cloison fence-test demo ssh://lab2 --fence 'power off' shows it, once nothing of a lab is there",
    });
    expect(did).toEqual(["fence"]);
    expect(await readShownFence(context, FENCE)).toBe(null);
    expect(await phase()).toBe("there");
  });

  test("that lied unseen is found out when the host is back as it was", async () => {
    const { world, did, watch, events, context } = await createWorld();
    const back = () => Object.assign(world, { life: life(1), wire: true });
    await watch(300_000, { at: { 20_000: die(world), 200_000: back } });
    expect(events.at(-1)).toEqual({ event: "cleared", host: HOST, domains: ["b"], ranOn: true });
    expect(did.at(-1)).toBe("ask down");
    expect(await readShownFence(context, FENCE)).toBe(null);
  });
});

test("a host that was started anew needs no fence: what ran there has ended", async () => {
  const { world, did, watch } = await createWorld({ shown: false });
  const anew = () => Object.assign(world, { life: life(2), wire: false });
  expect(await watch(60_000, { at: { 20_000: anew } })).toEqual(["fenced", "taken-over", "cleared"]);
  expect(did).toEqual(["make b lost", "ask down"]);
});

test("nor does what a watch that was killed had decided; once it runs here nothing is done", async () => {
  const { did, watch, world } = await createWorld({ shown: false, move: { phase: "lost", life: life(1) } });
  die(world)();
  expect(await watch(60_000)).toEqual(["taken-over"]);
  expect(did).toEqual(["make b lost"]);
  expect(await watch(60_000)).toEqual(["taken-over"]);
  expect(did).toEqual(["make b lost"]);
});

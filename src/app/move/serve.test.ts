import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createFixture, domainPlan, labPlan, ROOTS } from "../../lab/fixture.ts";
import { ExitCode } from "../../model/error.ts";
import type { Moving, Platform } from "../../platforms/platform.ts";
import type { AppContext } from "../context.ts";
import { servePart } from "./serve.ts";

const DOMAIN = domainPlan("one", 1);
const PLAN = labPlan([DOMAIN], { platform: "qemu" });
const LAB = {
  format: 3,
  plan: PLAN,
  roots: ROOTS,
  source: { text: "", images: {}, part: { domains: ["one"], isMain: false, of: "lab1" } },
};

/** A host that has a domain of a lab of lab1, and is asked by it. */
function asked(what: string, { of = "lab1", layer = () => undefined as void } = {}) {
  const fixture = createFixture({ files: { "/state/labs/demo/plan.json": JSON.stringify(LAB) } });
  fixture.running.add("one");
  const { context, host } = fixture;
  const done: string[] = [];
  let state: "running" | "paused" = "running";
  const moving: Partial<Moving> = {
    user: "nobody",
    sockets: () => ({ memory: "/run/one/memory" }),
    async send(_host, _workspace, _plan, _domain, { onProgress, onSwitching, signal }) {
      onProgress("memory");
      await onSwitching();
      signal?.throwIfAborted();
      done.push("sent");
    },
    async settle() {
      done.push("settled");
      return "here";
    },
  };
  const pausing: Platform["pausing"] = {
    pause: async () => void (state = "paused"),
    resume: async () => void (state = "running"),
  };
  const layers: Platform["layers"] = {
    packages: [],
    prepare: async () => undefined,
    async save(_host, _workspace, _plan, _domain, _file, signal) {
      layer();
      signal?.throwIfAborted();
    },
  };
  const qemu: Platform = {
    ...context.platforms.qemu,
    list: async () => [{ lab: "demo", name: "one", state, pid: 1, orphan: false }],
    ...(what === "send" ? { moving: moving as Moving } : { pausing, layers }),
  };
  const told: string[] = [];
  let take: (bytes: Buffer | null) => void = () => undefined;
  host.streams.user.input = (taker) => {
    take = taker;
    return () => (take = () => undefined);
  };
  host.streams.user.output = (bytes) => void told.push(Buffer.from(bytes).toString());
  const app = { ...context, platforms: { ...context.platforms, qemu }, isRoot: true } as unknown as AppContext;
  const ended = servePart(app, what, "demo", new AbortController().signal).then(
    () => "answered" as const,
    (error: unknown) => error,
  );
  const say = (line: string | null) => take(line === null ? null : Buffer.from(`${line}\n`));
  say(JSON.stringify({ of, question: { domain: "one" } }));
  return { ended, say, told, done, state: () => state };
}

const untilTold = (told: string[], line: string) => vi.waitFor(() => expect(told.at(-1)).toBe(`${line}\n`));
const SWITCHING = '{"stands":"switching"}';

describe("a domain that is sent back, as the host that it leaves sees it", () => {
  test("stands still until it is allowed to go", async () => {
    const { ended, say, told, done } = asked("send");
    await untilTold(told, SWITCHING);
    expect(done).toEqual([]);
    say("go");
    expect(await ended).toBe("answered");
    expect({ told, done }).toEqual({
      told: ['{"progress":"memory"}\n', `${SWITCHING}\n`, '{"answer":null}\n'],
      done: ["sent"],
    });
  });

  test("goes on when nobody is there any more to allow it", async () => {
    const { ended, say, told, done } = asked("send");
    await untilTold(told, SWITCHING);
    say(null);
    expect(await ended).toMatchObject({ exit: ExitCode.interrupted });
    expect(done).toEqual(["settled"]);
  });

  test("goes on, too, when a container's layer is not fetched any more", async () => {
    let lose = () => undefined as void;
    const { ended, say, told, state } = asked("offer", { layer: () => lose() });
    lose = () => {
      expect(state()).toBe("paused");
      say(null);
    };
    expect(await ended).toMatchObject({ exit: ExitCode.interrupted });
    expect(told).toContain('{"stands":"still"}\n');
    expect(state()).toBe("running");
  });

  test("is nobody's but the machine's that its lab was made at", async () => {
    const { ended, done } = asked("send", { of: "lab7" });
    expect(String(await ended)).toContain("nothing is here of domain one of lab demo");
    expect(done).toEqual([]);
  });

  describe("while time passes", () => {
    beforeEach(() => void vi.useFakeTimers());
    afterEach(() => void vi.useRealTimers());

    test("is taken for one that nobody waits for after half a minute of silence, and not before", async () => {
      const { ended, say, told, done } = asked("send");
      await untilTold(told, SWITCHING);
      for (let i = 0; i < 20; i++) {
        await vi.advanceTimersByTimeAsync(5000);
        say("beat");
      }
      expect(done).toEqual([]);
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await ended).toMatchObject({ exit: ExitCode.interrupted });
      expect(done).toEqual(["settled"]);
    });
  });
});

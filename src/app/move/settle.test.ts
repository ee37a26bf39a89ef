import { describe, expect, test } from "vitest";
import { domainPlan } from "../../lab/fixture.ts";
import type { Move } from "../../lab/moves.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { isThere } from "./settle.ts";

/** What is done to a domain whose move has ended somehow, in its order. */
async function settled(
  phase: Move["phase"],
  { here, runsThere }: { here: "here" | "sent" | "gone"; runsThere: boolean | "unreachable" },
) {
  const done: string[] = [];
  const way = {
    settle: async () => here,
    takeBack: async () => void done.push("takes it back"),
  };
  const reach = async () => {
    if (runsThere === "unreachable") throw new LabError("lab2 can't be reached", { exit: ExitCode.unavailable });
    return {
      async ask(what: string) {
        done.push(what);
        return { runs: runsThere } as never;
      },
    };
  };
  const move: Move = { host: "ssh://lab2", phase, domain: domainPlan("one", 1) };
  const outcome = await isThere(way, "demo", move, { reach, from: "lab1" }).catch((error: unknown) => error);
  return { outcome, done };
}

describe("where a domain is whose move was cut off", () => {
  test.each(["copying", "switching"] as const)(
    "%s: one that goes on here is here, whoever can be reached",
    async (phase) => {
      const { outcome, done } = await settled(phase, { here: "here", runsThere: "unreachable" });
      expect({ outcome, done }).toEqual({ outcome: false, done: [] });
    },
  );

  test.each(["sent", "gone"] as const)("%s, and runs there: it is there", async (here) => {
    expect(await settled("switching", { here, runsThere: true })).toEqual({ outcome: true, done: ["arrive"] });
  });

  test("sent, and does not run there: it goes on here, after nothing of it is there", async () => {
    expect(await settled("switching", { here: "sent", runsThere: false })).toEqual({
      outcome: false,
      done: ["arrive", "leave", "takes it back"],
    });
  });

  test("one that died here, and never came there, is let go on nowhere", async () => {
    expect(await settled("switching", { here: "gone", runsThere: false })).toEqual({
      outcome: false,
      done: ["arrive", "leave"],
    });
    expect(await settled("copying", { here: "gone", runsThere: true })).toEqual({ outcome: false, done: [] });
  });

  test("sent, and the host cannot be asked: it goes on nowhere, and why is said", async () => {
    const { outcome, done } = await settled("switching", { here: "sent", runsThere: "unreachable" });
    expect(done).toEqual([]);
    expect(String(outcome)).toMatch(/whether it runs there is not known: lab2 can't be reached/);
    expect(outcome).toMatchObject({ exit: ExitCode.unavailable });
  });
});

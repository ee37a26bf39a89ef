import { describe, expect, test } from "vitest";
import { domainPlan } from "../../lab/fixture.ts";
import { OWN, type Move, type Place } from "../../lab/moves.ts";
import { ExitCode, LabError } from "../../model/error.ts";
import { whereIs } from "./settle.ts";

const LAB2 = "ssh://lab2";

interface Hosts {
  /** What who sent it says; `unreachable`: it cannot be asked. */
  source: "here" | "sent" | "gone" | "unreachable";
  /** Whether it runs where it was sent to. */
  runs: boolean | "unreachable" | "cannot be made";
  isSent?: boolean;
}

/** What is done to a domain whose move has ended somehow, in its order. */
async function settled(
  ways: { from: Place; to: Place },
  phase: Move["phase"],
  { source, runs, isSent = false }: Hosts,
): Promise<{ outcome: unknown; done: string[]; said: string[] }> {
  const done: string[] = [];
  const said: string[] = [];
  const reach = async (place: Place) => {
    if ((place === ways.from ? source : runs) === "unreachable") {
      throw new LabError(`${place} can't be reached`, { exit: ExitCode.unavailable });
    }
    return {
      async ask(what: string, _lab: string, question: object) {
        done.push(`${place} ${what}`);
        const answers: Record<string, unknown> = {
          settle: { found: source },
          arrive: { runs: runs === true, why: runs === "cannot be made" ? "no space left" : null },
        };
        // Whether it comes to run is only asked of who was sent all.
        if (what === "arrive" && source === "unreachable") expect(question).toMatchObject({ isSent: false });
        return answers[what] as never;
      },
    };
  };
  const move: Move = { ...ways, phase, domain: domainPlan("one", 1) };
  const outcome = await whereIs("demo", move, { reach, isSent, say: (text) => said.push(text) }).catch(
    (error: unknown) => error,
  );
  return { outcome, done, said };
}

describe.each([
  ["there", { from: OWN, to: LAB2 }],
  ["back", { from: LAB2, to: OWN }],
  ["on", { from: LAB2, to: "ssh://lab3" }],
])("where a domain is whose move %s was cut off", (_way, ways) => {
  const { from, to } = ways;

  test.each(["copying", "switching"] as const)(
    "%s: one that goes on where it was is there, whoever else can be reached",
    async (phase) => {
      const { outcome, done } = await settled(ways, phase, { source: "here", runs: "unreachable" });
      expect({ outcome, done }).toEqual({ outcome: from, done: [`${from} settle`] });
    },
  );

  test.each(["sent", "gone"] as const)("%s, and runs where it was sent to: it is there", async (source) => {
    expect(await settled(ways, "switching", { source, runs: true })).toMatchObject({
      outcome: to,
      done: [`${from} settle`, `${to} arrive`],
    });
  });

  test("who has just sent it is not asked once more", async () => {
    const { outcome, done } = await settled(ways, "switching", { source: "sent", runs: true, isSent: true });
    expect({ outcome, done }).toEqual({ outcome: to, done: [`${to} arrive`] });
  });

  test("sent, and does not run there: it goes on where it was, after nothing of it is there", async () => {
    expect(await settled(ways, "switching", { source: "sent", runs: "cannot be made" })).toEqual({
      outcome: from,
      done: [`${from} settle`, `${to} arrive`, `${to} leave`, `${from} takeBack`],
      said: ["no space left"],
    });
  });

  test("one that died, and never came there, is let go on nowhere", async () => {
    expect(await settled(ways, "switching", { source: "gone", runs: false })).toMatchObject({
      outcome: from,
      done: [`${from} settle`, `${to} arrive`, `${to} leave`],
    });
    expect(await settled(ways, "copying", { source: "gone", runs: true })).toMatchObject({
      outcome: from,
      done: [`${from} settle`],
    });
  });

  test("sent, and the host that it was sent to cannot be asked: it goes on nowhere, and why is said", async () => {
    const { outcome, done } = await settled(ways, "switching", { source: "sent", runs: "unreachable" });
    expect(done).toEqual([`${from} settle`]);
    expect(String(outcome)).toContain(`is not known: ${to} can't be reached`);
    expect(outcome).toMatchObject({ exit: ExitCode.unavailable });
  });
});

describe("where a domain is whose move back was cut off, while the host that it was at cannot be asked", () => {
  const ways = { from: LAB2, to: OWN };

  test("copying: it is there still, but may stand still", async () => {
    const { outcome, done, said } = await settled(ways, "copying", { source: "unreachable", runs: false });
    expect({ outcome, done }).toEqual({ outcome: null, done: [] });
    expect(said.join()).toMatch(/^ssh:\/\/lab2 can't be reached; domain one is there still/);
  });

  test("switching, and it runs here: then it was sent", async () => {
    expect(await settled(ways, "switching", { source: "unreachable", runs: true })).toMatchObject({ outcome: OWN });
  });

  test("switching, and it does not run here: nothing is ended or started, and why is said", async () => {
    const { outcome, done } = await settled(ways, "switching", { source: "unreachable", runs: false });
    expect(done).toEqual(["local arrive"]);
    expect(String(outcome)).toMatch(/was sent back from ssh:\/\/lab2, and whether it runs here is not known/);
    expect(outcome).toMatchObject({ exit: ExitCode.unavailable });
  });
});

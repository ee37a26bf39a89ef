import { resolve } from "node:path";
import type { Host } from "../src/host/host.ts";
import { createRealHost } from "../src/host/real.ts";
import { STOP_CAUSES } from "../src/model/reachability.ts";
import { WALK_RULES, type WalkRule } from "../src/walk/walk-rules.ts";
import { askLabs, type Outcome } from "../test/random-labs/ask-labs.ts";
import type { AtEnd } from "./at-end.ts";
import type { Row } from "./row.ts";

const LABS = 200;

/** Begins the names of the labs. */
const NAME = "bench-random";

/** Each of these causes stops at least so many questions. */
const LEAST = 5;

/** Rules that this machine gives no occasion for: without 802.1Q in its kernel no tag reaches an interface of the kernel's. */
const NO_OCCASION: readonly WalkRule[] = ["vlan-tags"];

/**
 * 200 random labs with faults, every question of them asked by real packets. Rows count, and want none: predictions that were
 * wrong, answers that came and did not come again, silences that no later answer explains, packets that were last seen
 * elsewhere than where the walk stops them, faults that `net repair` did not mend, causes that stopped fewer than five
 * questions, rules of the walk without which every prediction would have been right all the same.
 * CLOISON_SEED draws others; CLOISON_LABS=40+20 asks 20 of them, from the one after the 40th.
 */
export async function randomLabsBench(say: (line: string) => void, atEnd: AtEnd): Promise<Row[]> {
  const seed = Number(process.env["CLOISON_SEED"] ?? 2009);
  const [first = 0, count = LABS] = process.env["CLOISON_LABS"]?.split("+").map(Number) ?? [];
  // `npm run bench` runs in the repository's root.
  const program: [string] = [resolve("cloison")];
  const host = createRealHost();
  atEnd.add(() => removeLabs(host, program));
  const outcome = await askLabs(host, { program, seed, first, count, vlans: true, name: NAME, say });
  const { failed, mismatches, strayed, lost, unmended, alone } = outcome;
  for (const line of [...failed, ...mismatches, ...strayed, ...lost, ...unmended, ...alone]) say(line);
  say(JSON.stringify({ seed, causes: outcome.causes, wrongWithout: outcome.wrongWithout, closings: outcome.closings }));
  return rowsOf(seed, outcome);
}

function rowsOf(seed: number, outcome: Outcome): Row[] {
  const { questions, blocked, unknown, causes, wrongWithout, closings, seenAtStop } = outcome;
  const rare = STOP_CAUSES.filter((cause) => causes[cause] < LEAST);
  const idle = WALK_RULES.filter((rule) => wrongWithout[rule] === 0 && !NO_OCCASION.includes(rule));
  const share = Math.round((100 * blocked) / questions);
  const note = `seed ${seed}: ${questions} questions, ${share} % of them blocked, ${unknown} not predictable`;
  const { mended, passed, told, answered, lonely } = closings;
  const closed = `of ${blocked}: ${mended} answered when mended, ${passed} with a later answer through the same machine, ${told} told, ${answered} with a later answer elsewhere, ${lonely} by those whom nobody answers anything`;
  const among = `${outcome.alone.length} questions were right only when they were asked alone`;
  return [
    none("random labs that could not be asked", outcome.failed.length, "labs"),
    none("random labs, wrong predictions", outcome.mismatches.length, "labs", `${note}; ${among}`),
    none("random labs, answers that did not come again", outcome.lost.length, "questions"),
    none("random labs, silences without a later answer", closings.open, "questions", closed),
    none(
      "random labs, packets last seen elsewhere than predicted",
      outcome.strayed.length,
      "questions",
      `${seenAtStop} captured where they stop`,
    ),
    none("random labs, faults that repair did not mend", outcome.unmended.length, "lines"),
    none(`random labs, causes with fewer than ${LEAST} stops`, rare.length, "causes", rare.join(", ")),
    none("random labs, rules of the walk that nothing depends on", idle.length, "rules", idle.join(", ")),
    none("random labs, per cent blocked below 40", Math.max(0, 40 - share), "%"),
  ];
}

/** The lab that a signal has cut off. */
async function removeLabs(host: Host, program: [string]): Promise<void> {
  const names = (await host.namespaces.list()).flatMap((name) => name.split(".")[1] ?? []);
  for (const lab of new Set(names.filter((name) => name.startsWith(NAME))))
    await host.processes.must({ argv: [...program, "down", lab] });
}

/** A row that wants none of something. */
function none(name: string, count: number, unit: string, note = ""): Row {
  return {
    name,
    against: "-",
    unit,
    ours: count,
    theirs: 0,
    ratio: count,
    low: count,
    high: count,
    wanted: "0",
    met: count === 0,
    ...(note === "" ? {} : { note }),
  };
}

import { readFile } from "node:fs/promises";
import { seconds } from "./lab-cycle.ts";
import type { CloisonLab } from "./cloison-lab.ts";
import type { NetworkBed } from "./network-bed.ts";
import { limitRow } from "./pairs.ts";
import type { Row } from "./row.ts";

const DOMAINS = 20;
const LIMIT_S = 10;
const READINGS = 10;
/** Of the class, whose blocked questions take most of the time: these are told, not judged. */
const CLASS_READINGS = 3;

/** Every question of 20 domains, the host, the router and the company's machines, by the whole command. */
export async function verifyRows(bed: NetworkBed): Promise<Row[]> {
  const name = "bench-verify";
  const file = await bed.write({
    name,
    networks: { lan: { mode: "bridge", subnet: "10.65.0.0/24" } },
    domains: { d: { image: "plain", count: DOMAINS, listen: ["80/tcp"] } },
  });
  const bridge = await readings(bed, await bed.lab(name, file), READINGS);
  const students = await readings(bed, await classOf20(bed), CLASS_READINGS);
  const longest = Math.max(...students.seconds).toFixed(1);
  const wrong = bridge.wrong + students.wrong;
  const note = [
    `the whole command, ${bridge.questions} questions`,
    `examples/networks/class-of-20.yaml, ${students.questions} questions, took ${longest} s at most of ${CLASS_READINGS} readings`,
    `${wrong === 0 ? "all" : `all but ${wrong}`} answers of all readings as predicted`,
  ].join("; ");
  return [limitRow({ name: `verify ${DOMAINS} domains on a bridge`, unit: "s", note }, LIMIT_S, bridge.seconds)];
}

/** The example under another name: somebody may have it up. */
async function classOf20(bed: NetworkBed): Promise<CloisonLab> {
  const name = "bench-class";
  const text = await readFile("examples/networks/class-of-20.yaml", "utf8");
  return bed.lab(name, await bed.writeText(name, text.replace(/^name: .*$/m, `name: ${name}`)));
}

async function readings(bed: NetworkBed, lab: CloisonLab, count: number) {
  const taken = { seconds: [] as number[], questions: 0, wrong: 0 };
  await lab.up();
  for (let reading = -1; reading < count; reading++) {
    const time = await seconds(async () => {
      const { questions, wrong } = await lab.verify();
      taken.questions = questions;
      taken.wrong += wrong;
    });
    // The first one warms up.
    if (reading >= 0) taken.seconds.push(time);
  }
  await lab.down();
  const times = taken.seconds.map((time) => time.toFixed(2)).join(" ");
  bed.say(`verify ${lab.name}: ${taken.questions} questions in ${times} s, ${taken.wrong} not as predicted`);
  return taken;
}

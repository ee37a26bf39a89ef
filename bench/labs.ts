import type { Host } from "../src/host/host.ts";
import { installPackages } from "../src/host/debian-packages.ts";
import { createRealHost } from "../src/host/real.ts";
import type { AtEnd } from "./at-end.ts";
import { bareLab } from "./bare-lab.ts";
import { CloisonLab, startTime } from "./cloison-lab.ts";
import { firstPing, timeCycles, type Cycle, type CyclePairs } from "./lab-cycle.ts";
import { mininetLab } from "./mininet-lab.ts";
import { pairRow, type Pair, type Wanted } from "./pairs.ts";
import type { Row } from "./row.ts";
import { RuncLoop } from "./runc-loop.ts";

const UNIT = "s";
const CONTAINERS = 16;

type Say = (line: string) => void;

/**
 * How fast labs come and go, through the whole command, `./cloison up` and `./cloison down`: 256 network namespaces on a bridge
 * beside Mininet and beside the bare kernel objects, and 16 containers beside a shell loop. Wants root.
 */
export async function labsBench(say: Say, atEnd: AtEnd): Promise<Row[]> {
  const host = createRealHost();
  // Mininet recommends Open vSwitch, which a Linux bridge does not need.
  await installPackages(host, ["mininet", "bridge-utils", "runc", "iproute2", "iputils-ping"], { onProgress: say });
  const start = await startTime(host);
  const rows: Row[] = [];
  for (const part of [networkRows, containerRows]) {
    try {
      rows.push(...(await part(host, start, say, atEnd)));
    } finally {
      // Neither part has to share the machine with what the other has left.
      await atEnd.run();
    }
  }
  return rows;
}

async function networkRows(host: Host, start: string, say: Say, atEnd: AtEnd): Promise<Row[]> {
  const lab = await CloisonLab.claim(host, atEnd, "namespaces-256");
  const ours = await networkCycle(host, lab);
  const bridge = `cloison-bench.mininet-${process.pid}`;
  atEnd.add(() => host.namespaces.remove([bridge]));
  await host.namespaces.create([bridge]);
  const mininet = mininetLab(host, bridge);
  atEnd.add(() => mininet.end());
  const bare = await bareLab(host);
  atEnd.add(() => bare.end());
  const besideMininet = await timeCycles(host, ours, mininet);
  const besideBare = await timeCycles(host, ours, bare);
  const up = "256 namespaces on a bridge, up to the first ping";
  const down = "256 namespaces on a bridge, back to nothing";
  const whole = `the whole command, ${start} of it the start of launcher and Node; ours also has a second bridge with the LAN's three machines, its DHCP and web servers, and an undo journal`;
  const gone = "until the kernel has removed the last interface";
  return [
    row(say, { name: up, against: "Mininet 2.3", note: whole }, { ratio: "speed", atLeast: 8 }, besideMininet.up),
    row(say, { name: down, against: "Mininet 2.3", note: gone }, { ratio: "speed", atLeast: 8 }, besideMininet.down),
    row(say, { name: up, against: "ip -batch" }, { ratio: "size", atMost: 2.5 }, besideBare.up),
    row(say, { name: down, against: "ip -batch", note: gone }, { ratio: "size", atMost: 2.5 }, besideBare.down),
  ];
}

/** @returns ours, which ends with a ping from the first domain to the last */
export async function networkCycle(host: Host, lab: CloisonLab): Promise<Cycle> {
  const { domains } = await lab.upWithPlan();
  await lab.down();
  const [first, last] = [domains[0], domains.at(-1)];
  const address = last?.vifs[0]?.address;
  if (first === undefined || address === undefined) throw new Error(`${lab.name} has no domains`);
  return {
    async up() {
      await lab.up();
      await firstPing(host, first.namespace, address);
    },
    down: () => lab.down(),
  };
}

async function containerRows(host: Host, start: string, say: Say, atEnd: AtEnd): Promise<Row[]> {
  const lab = await CloisonLab.claim(host, atEnd, "containers-16");
  await lab.up();
  const loop = await RuncLoop.like(host, lab, CONTAINERS);
  atEnd.add(() => loop.end());
  await lab.down();
  const ours: Cycle = {
    up: () => lab.up(),
    verify: () => lab.requireRunning(CONTAINERS),
    down: () => lab.down(),
  };
  const name = "16 containers to process running";
  const note = `the whole command, ${start} of it the start of launcher and Node; the loop's configurations are written beforehand`;
  const wanted: Wanted = { ratio: "size", atMost: 1 };
  const rows: Row[] = [];
  for (const order of ["sequential", "parallel"] as const) {
    const pairs: CyclePairs = await timeCycles(host, ours, loop.cycle(order));
    rows.push(row(say, { name, against: `shell loop, ${order}`, note }, wanted, pairs.up));
  }
  return rows;
}

function row(say: Say, text: { name: string; against: string; note?: string }, wanted: Wanted, pairs: Pair[]): Row {
  const taken = pairRow({ ...text, unit: UNIT }, wanted, pairs);
  const figures = [taken.ours, taken.theirs, taken.ratio, taken.low, taken.high].map((figure) => figure.toFixed(2));
  say(`${text.name}, against ${text.against}: ${figures.join(" ")}`);
  return taken;
}

import type { Cycle } from "./lab-cycle.ts";
import { timeCyclesBeside } from "./lab-cycle.ts";
import { networkCycle } from "./labs.ts";
import { mininetLab } from "./mininet-lab.ts";
import type { NetworkBed } from "./network-bed.ts";
import { pairRow } from "./pairs.ts";
import type { Row } from "./row.ts";

const DOMAINS = 256;
const AGAINST = "Mininet 2.3";
const WANTED = { ratio: "speed", atLeast: 8 } as const;

/** What each mode has besides Mininet's one bridge. Bridge mode itself is measured by the bench of labs. */
const MODES = {
  routed: "the first ping goes through the host; a link, two routes and an ARP entry for each domain",
  nat: "the first ping stays on the private bridge",
};

/** 256 domains up and down beside the same number of Mininet's hosts on a Linux bridge. */
export async function cycleRows(bed: NetworkBed, start: string): Promise<Row[]> {
  const cycles: Cycle[] = [];
  for (const mode of Object.keys(MODES)) {
    const name = `bench-${mode}-${DOMAINS}`;
    const file = await bed.write({
      name,
      networks: { net: { mode, subnet: "10.64.0.0/23" } },
      domains: { node: { image: "plain", count: DOMAINS } },
    });
    cycles.push(await networkCycle(bed.host, await bed.lab(name, file)));
  }
  const namespace = `cloison-bench.mininet-${process.pid}`;
  bed.atEnd.add(() => bed.host.namespaces.remove([namespace]));
  await bed.host.namespaces.create([namespace]);
  const mininet = mininetLab(bed.host, namespace);
  bed.atEnd.add(() => mininet.end());

  const pairs = await timeCyclesBeside(bed.host, cycles, mininet);
  return Object.entries(MODES).flatMap(([mode, note], i) => {
    const { up = [], down = [] } = pairs[i] ?? {};
    const name = `${DOMAINS} namespaces, ${mode}`;
    const whole = `the whole command, ${start} of it the start of launcher and Node; ${note}; Mininet's hosts are on one bridge`;
    const rows = [
      pairRow({ name: `${name}, up to the first ping`, against: AGAINST, unit: "s", note: whole }, WANTED, up),
      pairRow({ name: `${name}, back to nothing`, against: AGAINST, unit: "s" }, WANTED, down),
    ];
    for (const row of rows) {
      const figures = [row.ours, row.theirs, row.ratio, row.low, row.high].map((one) => one.toFixed(2));
      bed.say(`${row.name}: ${figures.join(" ")}`);
    }
    return rows;
  });
}

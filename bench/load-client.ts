import { installPackages } from "../src/host/debian-packages.ts";
import { createRealHost } from "../src/host/real.ts";
import type { AtEnd } from "./at-end.ts";
import { LoadBed } from "./load-bed.ts";
import { ab, autocannon, ours, wrk } from "./load-readings.ts";
import { interleave, pairRow, type Reading } from "./pairs.ts";
import type { Row } from "./row.ts";

const UNIT = "requests per client CPU second";

const NOTE =
  "the client's whole process, user and system, without its start; nginx on the other CPU; ours parses every answer and records eight columns a request";
const KEPT_NOTE = `${NOTE}. Four fifths of ours is inside send, recv and epoll_pwait2, which bounds every client: ab -k and wrk gain no more on autocannon than we do`;
const FRESH_NOTE = `${NOTE}. Nine tenths of ours is the kernel's: TCP's handshake and farewell over loopback, both ends' on the client's CPU`;

/** Requests per client-CPU-second of our load client beside autocannon, ab and wrk. Wants root. */
export async function loadClientBench(say: (line: string) => void, atEnd: AtEnd): Promise<Row[]> {
  const host = createRealHost();
  await installPackages(host, ["nginx-light", "apache2-utils", "wrk"], { onProgress: say });
  const bed = new LoadBed(host);
  atEnd.add(() => bed.remove());
  await bed.make();
  const kept = { name: "load client, keep-alive", ours: () => ours(bed, true) };
  const fresh = { name: "load client, a connection each", ours: () => ours(bed, false) };
  const rows: [typeof kept, string, number, Reading, string][] = [
    [kept, "autocannon 9", 2.5, () => autocannon(bed, true), KEPT_NOTE],
    [kept, "ab -k", 0.9, () => ab(bed, true), NOTE],
    [kept, "wrk", 0.85, () => wrk(bed), NOTE],
    [fresh, "autocannon 9", 2, () => autocannon(bed, false), FRESH_NOTE],
    [fresh, "ab", 0.85, () => ab(bed, false), FRESH_NOTE],
  ];
  const measured: Row[] = [];
  for (const [{ name, ours: reading }, against, atLeast, theirs, note] of rows) {
    const row = pairRow(
      { name, against, unit: UNIT, note },
      { ratio: "rate", atLeast },
      await interleave(reading, theirs),
    );
    say(
      `${name} against ${against}: ${Math.round(row.ours)} and ${Math.round(row.theirs)}, ratio ${row.ratio.toFixed(2)} (${row.low.toFixed(2)} to ${row.high.toFixed(2)})`,
    );
    measured.push(row);
  }
  return measured;
}

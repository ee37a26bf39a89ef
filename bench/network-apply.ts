import { byCommand, inProcess, kernelOnly, plansOf, type BeforeAndAfter } from "./network-apply-ways.ts";
import type { LabParts, NetworkBed } from "./network-bed.ts";
import { pairRow, type Pair } from "./pairs.ts";
import { NOT_JUDGED, type Row } from "./row.ts";

const DOMAINS = 256;
const WANTED = { ratio: "size", atMost: 0.05 } as const;
const TOLD = { wanted: NOT_JUDGED, met: true };

const one = { image: "plain", listen: ["80/tcp"] };
const others = { node: { image: "plain", count: DOMAINS - 1 } };

const address = (number: number): LabParts => ({
  name: "bench-apply-address",
  networks: { lan: { mode: "bridge", subnet: "10.64.0.0/23" } },
  domains: { one: { ...one, nics: [{ network: "lan", address: `10.64.1.${number}` }] }, ...others },
});

const forward = (port: number): LabParts => ({
  name: "bench-apply-forward",
  networks: { private: { mode: "nat", subnet: "10.64.0.0/23", forward: [{ port, to: "one:80" }] } },
  domains: { one, ...others },
});

/** Changes of one line. */
const CHANGES: Record<string, BeforeAndAfter<LabParts>> = {
  "one address": [address(100), address(101)],
  "one port forward": [forward(8080), forward(8081)],
};

/**
 * One changed line of a lab of 256 domains beside the lab's way up from nothing: inside this process, from plan to done; and,
 * not judged, by whole commands, and the kernel's part of it.
 * @param start time that a command takes to start
 */
export async function applyRows(bed: NetworkBed, start: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [change, [before, after]] of Object.entries(CHANGES)) {
    const row = (part: string, note: string, pairs: Pair[]): Row => {
      const name = `apply of ${change} to ${DOMAINS} domains, ${part}`;
      const taken = pairRow({ name, against: "up", unit: "s", note }, WANTED, pairs);
      const figures = [taken.ours, taken.theirs, taken.ratio, taken.low, taken.high].map((one) => one.toFixed(3));
      bed.say(`${name}: ${figures.join(" ")}`);
      return taken;
    };
    const files: BeforeAndAfter<string> = [await bed.write(before, "before"), await bed.write(after, "after")];
    const lab = await bed.lab(before.name, files[0]);
    const plans = await plansOf(bed, files);
    const { pairs, changes } = await inProcess(bed, plans);
    const done = `bring-up inside this process, of the changed plan and of the first one; ${changes} objects of the kernel change`;
    rows.push(row("plan to done", done, pairs));
    const command = `not judged; ${start} of each are the start of launcher and Node, and each reads and plans the file`;
    rows.push({ ...row("whole command", command, await byCommand(bed, lab, files)), ...TOLD });
    const kernel = "not judged; applyNetwork alone, on the namespaces that the change concerns and on all";
    rows.push({ ...row("kernel's part", kernel, await kernelOnly(bed, plans)), ...TOLD });
  }
  return rows;
}

import { byCommand, inProcess, kernelOnly, plansOf, type BeforeAndAfter } from "./network-apply-ways.ts";
import type { LabParts, NetworkBed } from "./network-bed.ts";
import { pairRow, type Pair } from "./pairs.ts";
import { NOT_JUDGED, type Row } from "./row.ts";

const DOMAINS = 256;
const WANTED = { ratio: "size", atMost: 0.05 } as const;
const TOLD = { wanted: NOT_JUDGED, met: true };

const one = { image: "plain", listen: ["80/tcp"] };
const others = { node: { image: "plain", count: DOMAINS - 1 } };

/** The last line of the file varies: a lab on a bridge, whose first domain has this interface. */
const bridged = (
  nic: object,
  more: Pick<LabParts, "networks" | "domains"> = { networks: {}, domains: {} },
): LabParts => ({
  name: "bench-apply",
  networks: { lan: { mode: "bridge", subnet: "10.64.0.0/23" }, ...more.networks },
  domains: { one: { ...one, nics: [{ network: "lan", ...nic }] }, ...others, ...more.domains },
});

const forwards = (...ports: number[]): LabParts => ({
  name: "bench-apply-forward",
  networks: {
    private: { mode: "nat", subnet: "10.64.0.0/23", forward: ports.map((port) => ({ port, to: "one:80" })) },
  },
  domains: { one, ...others },
});

const withMtu = (mtu: number): LabParts => {
  const network = { mode: "isolated", subnet: "10.66.0.0/24", mtu };
  const other = { image: "plain", nics: [{ network: "other" }] };
  return bridged({}, { networks: { other: network }, domains: { other } });
};

/** The same in containers, each with a program that waits. */
const containerForwards = (port: number): LabParts => ({
  ...forwards(port),
  name: "bench-apply-containers",
  platform: "container",
  images: { plain: { recipe: "plain", services: { idle: { command: ["sleep", "infinity"] } } } },
  domains: { one: { ...one, pids: 16 }, node: { ...others.node, pids: 16 } },
});

interface Change {
  files: BeforeAndAfter<LabParts>;
  /** Measured by whole commands and by the kernel's part, too. */
  everyWay?: boolean;
  /** More than a changed line. */
  told?: boolean;
}

/** Changes of one line, and one that is more. */
const CHANGES: Record<string, Change> = {
  "one MTU": { files: [withMtu(1500), withMtu(1400)] },
  "one rate": { files: [bridged({ rate: { in: "10M" } }), bridged({ rate: { in: "20M" } })] },
  "one anti-spoofing switch": { files: [bridged({ antispoof: true }), bridged({ antispoof: false })] },
  "one port forward": { files: [forwards(8080), forwards(8081)], everyWay: true },
  "one address": { files: [bridged({ address: "10.64.1.100" }), bridged({ address: "10.64.1.101" })] },
  "one domain more": {
    files: [bridged({}), bridged({}, { networks: {}, domains: { more: { image: "plain" } } })],
    told: true,
  },
};

/**
 * One changed line of a lab of 256 domains beside the lab's way up from nothing. Of network namespaces, which come up faster than
 * a command starts twice: inside this process, from plan to done; of one change, not judged, also by whole commands, and the
 * kernel's part of it. Of containers by whole commands.
 * @param start time that a command takes to start
 */
export async function applyRows(bed: NetworkBed, start: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [change, { files, everyWay = false, told = false }] of Object.entries(CHANGES)) {
    const row = (part: string, note: string, pairs: Pair[]) =>
      applyRow(bed, `apply of ${change} to ${DOMAINS} domains, ${part}`, note, pairs);
    const written: BeforeAndAfter<string> = [await bed.write(files[0], "before"), await bed.write(files[1], "after")];
    const lab = await bed.lab(files[0].name, written[0]);
    const plans = await plansOf(bed, written);
    const { pairs, changes } = await inProcess(bed, plans);
    const done = `bring-up inside this process, of the changed plan and of the first one; ${changes} objects of the kernel change`;
    const taken = row("plan to done", done, pairs);
    rows.push(told ? { ...taken, ...TOLD, note: `not judged: it is more than a line changed; ${done}` } : taken);
    if (!everyWay) continue;
    const command = `not judged; ${start} of each are the start of launcher and Node, and each reads and plans the file`;
    rows.push({ ...row("whole command", command, await byCommand(bed, lab, written)), ...TOLD });
    const kernel = "not judged; applyNetwork alone, on what the change concerns and on all";
    rows.push({ ...row("kernel's part", kernel, await kernelOnly(bed, plans)), ...TOLD });
  }
  const files: BeforeAndAfter<string> = [
    await bed.write(containerForwards(8080), "before"),
    await bed.write(containerForwards(8081), "after"),
  ];
  const lab = await bed.lab(containerForwards(8080).name, files[0]);
  const name = `apply of one port forward to ${DOMAINS} containers, whole command`;
  const note = `${start} of each are the start of launcher and Node`;
  return [...rows, applyRow(bed, name, note, await byCommand(bed, lab, files))];
}

function applyRow(bed: NetworkBed, name: string, note: string, pairs: Pair[]): Row {
  const taken = pairRow({ name, against: "up", unit: "s", note }, WANTED, pairs);
  const figures = [taken.ours, taken.theirs, taken.ratio, taken.low, taken.high].map((figure) => figure.toFixed(3));
  bed.say(`${name}: ${figures.join(" ")}`);
  return taken;
}

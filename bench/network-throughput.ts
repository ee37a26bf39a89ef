import type { LabPlan } from "../src/model/plan.ts";
import { handNamespaces, wireByHand, type TcpMode, type TcpPath } from "./network-by-hand.ts";
import type { NetworkBed } from "./network-bed.ts";
import { interleave, pairRow } from "./pairs.ts";
import type { Row } from "./row.ts";

const SECONDS = 1;
const PAIRS = 24;
const PORT = 5201;
/** The server takes leave of one client before it takes another. */
const BETWEEN_MS = 100;
const END_MS = 5000;
const WANTED = { ratio: "rate", atLeast: 0.95 } as const;

const LAN = { mode: "bridge", subnet: "10.66.0.0/24" };
const listening = { image: "plain", listen: [`${PORT}/tcp`] };
const plain = { image: "plain" };

/** Through what the client's bytes go, in the lab and in the wiring by hand. */
const MODES: Record<TcpMode, { networks: object; domains: object; note: string }> = {
  bridge: {
    networks: { net: LAN },
    domains: { client: plain, server: listening },
    note: "theirs is one bridge and two veths",
  },
  routed: {
    networks: { net: { ...LAN, mode: "routed" } },
    domains: { client: plain, server: listening },
    note: "theirs is two veths with a route each",
  },
  nat: {
    networks: {
      net: LAN,
      private: { mode: "nat", subnet: "10.67.0.0/24", forward: [{ port: PORT, to: `server:${PORT}` }] },
    },
    domains: { client: plain, server: { ...listening, nics: [{ network: "private" }] } },
    note: "from a bridged domain to a forwarded port of the host's; theirs is two bridges and the same rules for NAT",
  },
};

/** TCP between two domains beside TCP through the same wiring by hand, all ends on the CPUs that domains run on. */
export async function throughputRows(bed: NetworkBed): Promise<Row[]> {
  const rows: Row[] = [];
  for (const mode of ["bridge", "routed", "nat"] as const) rows.push(await throughput(bed, mode));
  return rows;
}

async function throughput(bed: NetworkBed, mode: TcpMode): Promise<Row> {
  const { host } = bed;
  const { networks, domains, note } = MODES[mode];
  const name = `bench-tcp-${mode}`;
  const cgroup = `cloison/bench-tcp-${mode}-${process.pid}`;
  const lab = await bed.lab(name, await bed.write({ name, networks, domains }));
  const end = async () => {
    await host.cgroups.destroy(cgroup, END_MS);
    await host.namespaces.remove(Object.values(handNamespaces(mode)));
  };
  bed.atEnd.add(end);
  const plan = await lab.upWithPlan();
  const cpus = plan.placement.platform;
  const ours = pathOf(plan, mode);
  const theirs = await wireByHand(host, mode);
  for (const path of [ours, theirs]) await serve(bed, path, { cgroup, cpus });
  const pairs = await interleave(
    () => gigabits(bed, ours, { cgroup, cpus }),
    () => gigabits(bed, theirs, { cgroup, cpus }),
    PAIRS,
  );
  await end();
  await lab.down();
  const text = {
    name: `TCP between two domains, ${mode}`,
    against: "ip and nft by hand",
    unit: "Gbit/s",
    note: `${note}, with rules against spoofing, without the receive packet steering (RPS) that the lab has; iperf3, one stream, ${SECONDS} s, client and server on the platform's ${cpus.length === 1 ? "CPU" : "CPUs"}`,
  };
  const row = pairRow(text, WANTED, pairs);
  const figures = [row.ours, row.theirs, row.ratio, row.low, row.high].map((one) => one.toFixed(2));
  bed.say(`${row.name}: ${figures.join(" ")}`);
  return row;
}

function pathOf(plan: LabPlan, mode: TcpMode): TcpPath {
  const [client, server] = ["client", "server"].map((name) => plan.domains.find((domain) => domain.name === name));
  const address =
    mode === "nat"
      ? plan.endpoints.find(({ kind }) => kind === "host")?.interfaces.find(({ network }) => network === "net")
          ?.addresses[0]
      : server?.vifs[0]?.address;
  if (client === undefined || server === undefined || address === undefined) throw new Error(`${plan.lab} has no path`);
  return { client: client.namespace, server: server.namespace, address };
}

/** Where iperf3 runs. */
interface Place {
  cgroup: string;
  cpus: number[];
}

async function serve({ host }: NetworkBed, { server }: TcpPath, place: Place): Promise<void> {
  const argv = ["iperf3", "-s", "-p", String(PORT)] as const;
  await host.processes.start({ argv: [...argv], namespace: server, ...place });
  for (let tries = 0; tries < 100; tries++) {
    const listening = await host.processes.must({ argv: ["ss", "-Hltn", `sport = ${PORT}`], namespace: server });
    if (listening !== "") return;
    await host.clock.sleep(50);
  }
  throw new Error("iperf3 does not listen");
}

async function gigabits({ host }: NetworkBed, { client, address }: TcpPath, place: Place): Promise<number> {
  await host.clock.sleep(BETWEEN_MS);
  const answer = await host.processes.must({
    argv: ["iperf3", "-c", address, "-p", String(PORT), "-t", String(SECONDS), "-J", "--connect-timeout", "5000"],
    namespace: client,
    ...place,
  });
  const { end } = JSON.parse(answer) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e9;
}

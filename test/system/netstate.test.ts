import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import type { NetworkState } from "../../src/model/network-state.ts";
import type { NftTable } from "../../src/model/nft.ts";
import { applyNetwork } from "../../src/netstate/apply.ts";
import { formatChange } from "../../src/netstate/change.ts";
import { observeNetwork } from "../../src/netstate/observe.ts";
import { bridgeNetwork } from "../../src/networks/bridge.ts";
import { needs } from "../needs.ts";

const LAB = `cloison.netstate-${process.pid}`;
const LAN = `${LAB}.lan`;
const HOST = `${LAB}.host`;
const STATION = `${LAB}.station`;
const OUTSIDE = `${LAB}.outside`;
const ONE = `${LAB}.one`;
const TWO = `${LAB}.two`;

const TABLE = "bridge cloison-filter";
const FORWARD = { type: "filter", hook: "forward", priority: 0, policy: "accept" } as const;
const RULES: NftTable = {
  family: "bridge",
  name: "cloison-filter",
  sets: [],
  chains: [
    {
      name: "forward",
      base: FORWARD,
      rules: [
        {
          expr: [
            { match: { op: "==", left: { meta: { key: "iifname" } }, right: "vif1.0" } },
            {
              match: { op: "!=", left: { payload: { protocol: "ether", field: "saddr" } }, right: "00:16:3e:00:01:01" },
            },
            { counter: null },
            { drop: null },
          ],
        },
      ],
    },
  ],
};

needs("root")("the network state on a real kernel", () => {
  const host = createRealHost();
  const cpus = host.machine.cpus;
  const [platformCpu = 0] = cpus;
  const stationCpu = cpus.at(-1) ?? 0;
  const wanted = bridgeNetwork({
    index: 0,
    prefix: 24,
    lanNamespace: LAN,
    hostNamespace: HOST,
    gateway: { address: "10.23.0.1", mac: "00:16:3e:00:00:01" },
    host: { address: "10.23.0.250", mac: "00:16:3e:00:00:02" },
    machines: [
      { name: "station", namespace: STATION, address: "10.23.0.251", mac: "00:16:3e:00:00:03" },
      { name: "outside", namespace: OUTSIDE, address: "10.23.0.252", mac: "00:16:3e:00:00:04" },
    ],
    vifs: [
      {
        vif: "vif1.0",
        guest: "eth0",
        mac: "00:16:3e:00:01:01",
        address: "10.23.0.2",
        configuration: "static",
        namespace: ONE,
      },
      {
        vif: "vif2.0",
        guest: "eth0",
        mac: "00:16:3e:00:01:02",
        address: "10.23.0.3",
        configuration: "dhcp",
        namespace: TWO,
      },
    ],
    rpsCpus: { host: [platformCpu], guest: [platformCpu], lan: [stationCpu] },
  });
  const namespaces = Object.keys(wanted);

  const inside = (namespace: string, command: string) =>
    host.processes.must({ argv: ["sh", "-ec", command], namespace, timeoutMs: 10_000 });
  const repaired = async (state: NetworkState = wanted) =>
    (await applyNetwork(host, state)).map((change) => formatChange(change).replace(`${LAB}.`, ""));

  beforeAll(async () => {
    await host.namespaces.create(namespaces);
    const done = await applyNetwork(host, wanted, { fresh: namespaces });
    expect(done.length).toBeGreaterThan(30);
  });
  afterAll(async () => {
    await host.namespaces.remove(namespaces);
  });

  test("what was applied is read back the same, down to peers and CPU masks; a second apply does nothing", async () => {
    const observed = await observeNetwork(host, namespaces, { like: wanted });
    const byName = ({ name: a }: { name: string }, { name: b }: { name: string }) => (a < b ? -1 : 1);
    for (const [namespace, { leased: _, ...state }] of Object.entries(wanted)) {
      const { links, ...rest } = observed[namespace] ?? expect.fail(`${namespace} was not observed`);
      expect({ ...rest, links: links.toSorted(byName) }).toEqual({ ...state, links: state.links.toSorted(byName) });
    }
    expect(await repaired()).toEqual([]);
  });

  test("the kernel has what iproute2 calls by the same names", async () => {
    const bridge = await inside(HOST, "ip -d link show xenbr0");
    expect(bridge).toMatch(/forward_delay 0 .*stp_state 0 .*mcast_snooping 0/);
    expect(await inside(ONE, "ip route show default")).toContain("default via 10.23.0.1 dev eth0");
    expect(await inside(ONE, "ip -6 address show")).toBe("");
    expect(await inside(STATION, "cat /proc/sys/net/ipv6/conf/all/disable_ipv6")).toBe("1\n");
  });

  test("frames cross both bridges, from the station to a guest and from the guest to its gateway", async () => {
    expect(await inside(STATION, "ping -c 1 -W 5 10.23.0.2")).toContain(" 0% packet loss");
    expect(await inside(ONE, "ping -c 1 -W 5 10.23.0.1")).toContain(" 0% packet loss");
    expect(await inside(ONE, "ping -c 1 -W 5 10.23.0.250")).toContain(" 0% packet loss");
  });

  test("a deleted address is set again, with the route that went with it, and nothing else is touched", async () => {
    await inside(OUTSIDE, "ip address flush dev eth0");
    expect(await repaired()).toEqual([
      "outside: address 10.23.0.252/24 on eth0: missing",
      "outside: route default: missing",
    ]);
    expect(await repaired()).toEqual([]);
  });

  test("a link that is down comes up, and its route comes back", async () => {
    await inside(ONE, "ip link set eth0 down");
    expect(await repaired()).toEqual(["one: link eth0: up false -> true", "one: route default: missing"]);
    expect(await inside(STATION, "ping -c 1 -W 5 10.23.0.2")).toContain(" 0% packet loss");
  });

  test("a surplus address under which the right one hangs goes, and the right one stays", async () => {
    await inside(
      ONE,
      "ip address flush dev eth0; ip address add 10.23.0.77/24 dev eth0; ip address add 10.23.0.2/24 dev eth0",
    );
    // The kernel takes secondaries along with the first address of a subnet, so this takes two rounds.
    expect(await repaired()).toContain("one: address 10.23.0.77/24 on eth0: not wanted");
    expect(await repaired()).toEqual([]);
    expect(await inside(ONE, "ip -o -4 address show dev eth0")).toMatch(/^.*10\.23\.0\.2\/24 [^\n]*\n$/);
  });

  test("other drift: mtu, MAC, bridge port, CPU mask, sysctl, a wrong route, foreign links and neighbours", async () => {
    await inside(HOST, "ip link set vif1.0 mtu 1400 nomaster; ip link add stray type veth peer name stray-peer");
    await inside(ONE, "ip link set eth0 address 02:00:00:00:00:99");
    await inside(LAN, "sysctl -qw net.ipv4.ip_forward=0; ip neighbour add 10.23.0.9 lladdr 02:00:00:00:00:09 dev lan0");
    await inside(STATION, "ip route replace default via 10.23.0.250");
    const drift = await repaired();
    expect(drift).toContain('host: link vif1.0: mtu 1400 -> 1500, master null -> "xenbr0"');
    expect(drift).toContain("host: link stray: not wanted");
    expect(drift).toContain('one: link eth0: mac "02:00:00:00:00:99" -> "00:16:3e:00:01:01"');
    expect(drift).toContain("lan: sysctl net.ipv4.ip_forward: 0 -> 1");
    expect(drift).toContain("lan: neighbour 10.23.0.9 on lan0: not wanted");
    expect(drift).toContain('station: route default: via "10.23.0.250" -> "10.23.0.1"');
    expect(drift).toHaveLength(7);
    expect(await repaired()).toEqual([]);
  });

  test("a veth that was deleted, and a bridge, are made again with all that belongs to them", async () => {
    await inside(HOST, "ip link delete vif1.0; ip link delete xenbr0");
    const drift = await repaired();
    for (const line of ["host: link xenbr0: missing", "host: link vif1.0: missing", "one: link eth0: missing"]) {
      expect(drift).toContain(line);
    }
    expect(drift).toContain('host: link vif2.0: master null -> "xenbr0"');
    expect(await repaired()).toEqual([]);
    expect(await inside(STATION, "ping -c 1 -W 5 10.23.0.2")).toContain(" 0% packet loss");
  });

  test("on a leased link whatever the DHCP client sets is right", async () => {
    await inside(
      TWO,
      "ip address add 10.23.0.3/24 dev eth0 valid_lft 600 preferred_lft 600; ip route add default via 10.23.0.1",
    );
    expect(await repaired()).toEqual([]);
  });

  test("a domain that goes and comes back at once: only its namespace and its vif are new", async () => {
    for (let round = 0; round < 10; round++) {
      // The kernel takes the host's end away some time later; it may still be there, and go at any moment.
      await host.namespaces.remove([ONE]);
      await host.namespaces.create([ONE]);
      const done = await applyNetwork(host, wanted, { fresh: [ONE] });
      const elsewhere = done.filter(({ namespace }) => namespace !== ONE);
      expect(new Set(elsewhere.map(({ namespace, object, name }) => `${namespace} ${object} ${name}`))).toEqual(
        new Set([`${HOST} link vif1.0`]),
      );
      expect(await repaired()).toEqual([]);
    }
  });

  test("what cannot be applied says which request the kernel refused", async () => {
    const state = structuredClone(wanted);
    state[ONE]?.routes.push({ destination: "10.99.0.0/16", via: "172.31.0.1", link: "eth0" });
    await expect(applyNetwork(host, state)).rejects.toThrow(
      "adding route 10.99.0.0/16 via 172.31.0.1 on eth0: Network is unreachable (Nexthop has invalid gateway)",
    );
    expect(await repaired()).toEqual([]);
  });

  test("tables of ours are made, replaced when their rules drift, and removed; others' tables stay", async () => {
    const withTable = structuredClone(wanted);
    const hostState = withTable[HOST] ?? expect.fail("the host has no state");
    hostState.tables = { [TABLE]: RULES };
    await inside(HOST, "nft add table inet foreign");
    const missing = [`host: table ${TABLE}: missing`];
    expect(await repaired(withTable)).toEqual(missing);
    expect(await repaired(withTable)).toEqual([]);
    expect(await inside(STATION, "ping -c 1 -W 5 10.23.0.2")).toContain(" 0% packet loss");
    expect(await repaired(withTable)).toEqual([]);

    await inside(HOST, `nft add rule ${TABLE} forward drop`);
    expect(await repaired(withTable)).toEqual([`host: table ${TABLE}: chain forward differs`]);
    expect(await inside(HOST, `nft list table ${TABLE}`)).not.toMatch(/^\s*drop$/m);
    await inside(HOST, `nft delete table ${TABLE}`);
    expect(await repaired(withTable)).toEqual(missing);

    expect(await repaired()).toEqual([`host: table ${TABLE}: not wanted`]);
    expect(await inside(HOST, "nft list tables")).toBe("table inet foreign\n");
    expect(await repaired()).toEqual([]);
  });

  test("rules that nft refuses are refused before anything is changed", async () => {
    const state = structuredClone(wanted);
    const bad: NftTable = {
      family: "inet",
      name: "cloison-bad",
      sets: [],
      chains: [{ name: "forward", base: FORWARD, rules: [{ expr: [{ nonsense: null }] }] }],
    };
    for (const part of Object.values(state)) part.tables = { "inet cloison-bad": bad };
    await inside(ONE, "ip address flush dev eth0");
    await expect(applyNetwork(host, state)).rejects.toThrow("nonsense");
    expect(await repaired()).toEqual(["one: address 10.23.0.2/24 on eth0: missing", "one: route default: missing"]);
  });

  test.skipIf(platformCpu === stationCpu)("the CPU mask decides where received frames are processed", async () => {
    const pings = 3000;
    const flood = async () => {
      const before = framesSentTo(platformCpu);
      const argv: [string, ...string[]] = ["ping", "-q", "-f", "-c", `${pings}`, "10.23.0.2"];
      await host.processes.must({ argv, namespace: STATION, cpus: [stationCpu], timeoutMs: 20_000 });
      return framesSentTo(platformCpu) - before;
    };
    const steered = await flood();
    const unmasked = structuredClone(wanted);
    for (const { links } of Object.values(unmasked)) for (const link of links) link.rpsCpus = [];
    await applyNetwork(host, unmasked);
    const unsteered = await flood();
    await applyNetwork(host, wanted);
    // Every echo request crosses over; but other labs of the machine may send some too.
    expect(steered).toBeGreaterThan(0.8 * pings);
    expect(unsteered).toBeLessThan(0.5 * steered);
  });
});

/** Times that a CPU was sent frames by another because of a CPU mask: tenth column of softnet_stat; the CPU is the 13th. */
function framesSentTo(cpu: number): number {
  const rows = readFileSync("/proc/net/softnet_stat", "utf8").trimEnd().split("\n");
  const columns = rows.map((row) => row.split(" ").map((word) => Number.parseInt(word, 16)));
  return columns.find((row) => row[12] === cpu)?.[9] ?? expect.fail(`softnet_stat has no CPU ${cpu}`);
}

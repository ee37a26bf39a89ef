import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import { LabError } from "../../src/model/error.ts";
import type { Link, NamespaceState, NetworkState, Switch } from "../../src/model/network-state.ts";
import { applyNetwork, type ApplyOptions } from "../../src/netstate/apply.ts";
import { formatChange } from "../../src/netstate/change.ts";
import { newNamespaceState } from "../../src/netstate/new-namespace.ts";
import { observeNetwork } from "../../src/netstate/observe.ts";
import type { SwitchDriver } from "../../src/netstate/switch-driver.ts";
import { needs } from "../needs.ts";

const LAB = `cloison.netstate-objects-${process.pid}`;
const HOST = `${LAB}.host`;
const ONE = `${LAB}.one`;
const TWO = `${LAB}.two`;

function link(fields: Partial<Link> & { name: string }): Link {
  return { kind: "veth", up: true, mtu: 1500, mac: null, master: null, peer: null, rpsCpus: [], ...fields };
}

const LOOPBACK = link({ name: "lo", kind: "loopback", mtu: 65536 });

function port(name: string, namespace: string): Link {
  return link({ name, master: "br0", isolated: true, peer: { namespace, name: "eth0" } });
}

function guest(vif: string, host: number): NamespaceState {
  return {
    ...newNamespaceState(),
    links: [LOOPBACK, link({ name: "eth0", peer: { namespace: HOST, name: vif } })],
    addresses: [
      { link: "eth0", address: `10.23.0.${host}`, prefix: 24 },
      { link: "eth0", address: `fd23::${host}`, prefix: 64 },
    ],
    routes: [
      // Its gateway is in no subnet of the link.
      { destination: "default", via: "10.99.0.1", link: "eth0", onLink: true, source: `10.23.0.${host}` },
      { destination: "::/0", via: "fd23::1", link: "eth0" },
    ],
  };
}

/** A bridge with an address whose ports, two guests, reach it and not each other. */
const WANTED: Record<string, NamespaceState> = {
  [HOST]: {
    ...newNamespaceState(),
    links: [LOOPBACK, link({ name: "br0", kind: "bridge" }), port("vif1.0", ONE), port("vif2.0", TWO)],
    addresses: [
      { link: "br0", address: "10.23.0.1", prefix: 24 },
      { link: "br0", address: "fd23::1", prefix: 64 },
    ],
    neighbours: [
      { link: "br0", address: "10.23.0.77", mac: null, proxy: true },
      { link: "br0", address: "fd23::77", mac: null, proxy: true },
    ],
    sysctls: { "net.ipv4.conf.vif1/0.arp_ignore": "1", "net.ipv6.conf.br0.proxy_ndp": "1" },
  },
  [ONE]: guest("vif1.0", 2),
  [TWO]: guest("vif2.0", 3),
};

needs("root")("what a network state may consist of, on a real kernel", () => {
  const host = createRealHost();
  const namespaces = Object.keys(WANTED);
  const inside = (namespace: string, command: string) =>
    host.processes.must({ argv: ["sh", "-ec", command], namespace, timeoutMs: 10_000 });
  const applied = async (network: NetworkState, options: ApplyOptions = {}) =>
    (await applyNetwork(host, network, options)).map((change) => formatChange(change).replace(`${LAB}.`, ""));
  /**
   * Whether it answers, asked by who knows no neighbour: one that is being resolved in vain is asked for once a second only, and
   * a bridge that loses the port with the lowest MAC has another from then on. One whose first port has just come up may send
   * nothing for a second (net/core/link_watch.c).
   */
  const pings = async (namespace: string, address: string) => {
    const script = `ip neighbour flush all; ping -c 1 -w 3 ${address}`;
    return (await host.processes.run({ argv: ["sh", "-ec", script], namespace })).code === 0;
  };
  /** WANTED with one more thing in the host. */
  const withHost = (change: (state: NamespaceState) => void): NetworkState => {
    const network = structuredClone(WANTED);
    const state = network[HOST];
    if (state !== undefined) change(state);
    return network;
  };

  beforeAll(async () => {
    await host.namespaces.create(namespaces);
    await applyNetwork(host, WANTED, { fresh: namespaces });
  });
  afterAll(async () => {
    await host.namespaces.remove(namespaces);
  });

  test("it is read back as it was applied, and a second apply does nothing", async () => {
    const observed = await observeNetwork(host, namespaces, { like: WANTED });
    for (const [namespace, state] of Object.entries(WANTED)) {
      const { links, addresses, routes, neighbours, sysctls } = observed[namespace] ?? expect.fail(namespace);
      const withoutMacs = links.map((entry) => ({ ...entry, mac: null }));
      expect(new Set(withoutMacs)).toEqual(new Set(state.links));
      expect(new Set(addresses)).toEqual(new Set(state.addresses));
      expect(new Set(routes)).toEqual(new Set(state.routes));
      expect(new Set(neighbours)).toEqual(new Set(state.neighbours));
      expect(sysctls).toEqual(state.sysctls);
    }
    expect(await applied(WANTED)).toEqual([]);
  });

  test("IPv6 addresses are usable at once, and guests reach the bridge with both protocols", async () => {
    expect(await inside(ONE, "ip -6 address show dev eth0 scope global tentative")).toBe("");
    expect(await pings(ONE, "10.23.0.1")).toBe(true);
    expect(await pings(ONE, "fd23::1")).toBe(true);
  });

  test("isolated ports do not reach each other; when they are not isolated they do", async () => {
    expect(await pings(ONE, "10.23.0.3")).toBe(false);
    const open = withHost(({ links }) => links.forEach((entry) => delete entry.isolated));
    expect(await applied(open)).toEqual([
      "host: link vif1.0: isolated true -> none",
      "host: link vif2.0: isolated true -> none",
    ]);
    expect(await pings(ONE, "10.23.0.3")).toBe(true);
    await inside(HOST, "ip link set vif1.0 nomaster");
    expect((await applied(WANTED)).length).toBe(2);
    expect(await pings(ONE, "10.23.0.3")).toBe(false);
    expect(await applied(WANTED)).toEqual([]);
  });

  test("drift of what is new is repaired: routes' sources, proxy neighbours, default routes of IPv6", async () => {
    await inside(ONE, "ip route replace default via 10.99.0.1 dev eth0 onlink; ip -6 route delete default");
    await inside(HOST, "ip -6 neighbour delete proxy fd23::77 dev br0");
    expect(await applied(WANTED)).toEqual([
      "one: route ::/0: missing",
      'one: route default: source none -> "10.23.0.2"',
      "host: neighbour proxy fd23::77 on br0: missing",
    ]);
    expect(await applied(WANTED)).toEqual([]);
  });

  test("a rate limits what is sent, is read back, and goes with the plan", async () => {
    const limited = withHost(({ links }) => {
      for (const entry of links) if (entry.name === "vif1.0") entry.shaping = { rateBitsPerSecond: 64_000 };
    });
    expect(await applied(limited)).toEqual(['host: link vif1.0: shaping none -> {"rateBitsPerSecond":64000}']);
    expect(await applied(limited)).toEqual([]);
    // More than the bucket holds.
    await inside(HOST, "ping -q -c 40 -l 40 -s 1400 -W 1 -w 1 10.23.0.2 || true");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tc's own format
    const [qdisc] = JSON.parse(await inside(HOST, "tc -s -j qdisc show dev vif1.0")) as Record<string, number>[];
    expect(qdisc?.["overlimits"]).toBeGreaterThan(0);

    await inside(HOST, "tc qdisc change dev vif1.0 root tbf rate 1mbit burst 10000b limit 20000b");
    expect(await applied(limited)).toHaveLength(1);
    expect(await applied(WANTED)).toHaveLength(1);
    expect(await inside(HOST, "tc qdisc show dev vif1.0")).toContain("noqueue");
    expect(await applied(WANTED)).toEqual([]);
  });

  /** What this kernel may lack: null where it has it and all is as wanted, else the error. What was wanted is undone. */
  const tried = async (network: NetworkState): Promise<LabError | null> => {
    try {
      await applied(network);
      expect(await applied(network)).toEqual([]);
      return null;
    } catch (error) {
      if (error instanceof LabError) return error;
      throw error;
    } finally {
      await applied(WANTED);
    }
  };
  /** Either it worked, or the error says what helps. */
  const worksOrSays = (error: LabError | null, message: RegExp, hint: RegExp) =>
    error === null || (message.test(error.message) && hint.test(error.hint ?? "")) ? "fine" : error;

  test("delay and loss, in place of a rate", async () => {
    await applied(
      withHost(({ links }) => {
        for (const entry of links) if (entry.name === "vif1.0") entry.shaping = { rateBitsPerSecond: 1_000_000 };
      }),
    );
    const shaped = withHost(({ links }) => {
      for (const entry of links) if (entry.name === "vif1.0") entry.shaping = { delayMs: 10, lossPercent: 1 };
    });
    const error = await tried(shaped);
    expect(worksOrSays(error, /tc qdisc replace dev vif1.0 root .*netem/, /has no netem/)).toBe("fine");
    expect(await applied(WANTED)).toEqual([]);
  });

  test("an 802.1Q sub-interface that is a port of a bridge", async () => {
    const tagged = withHost(({ links }) => {
      const vlan = { parent: "vif2.0", id: 2 };
      links.push(link({ name: "vif2.0.2", kind: "vlan", master: "vlanbr2", vlan }));
      links.push(link({ name: "vlanbr2", kind: "bridge" }));
    });
    const error = await tried(tagged);
    const message = /adding vif2.0.2 for VLAN 2 of vif2.0: Operation not supported/;
    expect(worksOrSays(error, message, /has no 802\.1Q/)).toBe("fine");
    expect(await applied(WANTED)).toEqual([]);
  });

  /** WANTED with another address in one of the guests. */
  const withAddress = (namespace: string, address: string): NetworkState => {
    const network = structuredClone(WANTED);
    network[namespace]?.addresses.push({ link: "eth0", address, prefix: 24 });
    return network;
  };

  test("from a known state only what it changes is looked at", async () => {
    const after = withAddress(TWO, "10.23.0.33");
    await inside(ONE, "ip address add 10.23.0.44/24 dev eth0");
    await inside(TWO, "sysctl -qw net.ipv4.conf.eth0.arp_ignore=1");
    expect(await applied(after, { from: WANTED })).toEqual(["two: address 10.23.0.33/24 on eth0: missing"]);
    expect(await inside(ONE, "ip address show dev eth0")).toContain("10.23.0.44");
    await inside(TWO, "sysctl -qw net.ipv4.conf.eth0.arp_ignore=0");
    expect(await applied(WANTED)).toHaveLength(2);
  });

  test("of the changed namespace, too, only what changes is asked for by its name, and changed", async () => {
    const asked: string[] = [];
    const netlink = (name: string | null) =>
      new Proxy(host.namespaces.netlink(name), {
        get(socket, property) {
          const value: unknown = Reflect.get(socket, property);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            if (property !== "close") asked.push(`${String(property)} ${JSON.stringify(args)}`);
            return (value as (...all: unknown[]) => unknown).apply(socket, args);
          };
        },
      });
    const watched = { ...host, namespaces: { ...host.namespaces, netlink } };
    const after = withHost(({ links }) => {
      for (const entry of links) if (entry.name === "vif2.0") entry.shaping = { rateBitsPerSecond: 1_000_000 };
    });
    await inside(HOST, "bridge link set dev vif1.0 isolated off");
    expect(await applyNetwork(watched, after, { from: WANTED })).toHaveLength(1);
    const names = asked.flatMap((call) => /^link \["(.*)"\]/.exec(call)?.[1] ?? []);
    expect([...new Set(names)]).toEqual(["vif2.0", "br0", "eth0"]);
    const verbs = new Set(asked.filter((call) => call !== "perform [[]]").map((call) => call.split(" ")[0]));
    expect(verbs).toEqual(new Set(["addressesOn", "link", "namespaceIds", "qdisc", "routesOn"]));
    expect(await applied(WANTED)).toEqual([
      "host: link vif1.0: isolated none -> true",
      'host: link vif2.0: shaping {"rateBitsPerSecond":1000000} -> none',
    ]);
  });

  test("from a known state: what the kernel takes along comes back, links are made and removed by name", async () => {
    const moved = structuredClone(WANTED);
    for (const one of moved[TWO]?.addresses ?? []) if (one.prefix === 24) one.address = "10.23.0.4";
    for (const one of moved[TWO]?.routes ?? []) if (one.destination === "default") one.source = "10.23.0.4";
    const done = await applied(moved, { from: WANTED });
    // The old address took its default route along.
    expect(done).toContain("two: route default: missing");
    expect(await applied(moved)).toEqual([]);

    const fewer = structuredClone(moved);
    delete fewer[TWO];
    const host_ = fewer[HOST];
    if (host_ !== undefined) host_.links = host_.links.filter(({ name }) => name !== "vif2.0");
    expect(await applied(fewer, { from: moved })).toEqual(["host: link vif2.0: not wanted"]);
    expect(await applied(fewer)).toEqual([]);
    await host.namespaces.remove([TWO]);
    await host.namespaces.create([TWO]);
    expect(await applied(WANTED, { from: fewer, fresh: [TWO] })).toContain("host: link vif2.0: missing");
    expect(await applied(WANTED)).toEqual([]);
    expect(await pings(TWO, "10.23.0.1")).toBe(true);
  });

  test("where the kernel is not as it is taken for, all of the changed namespaces is looked at", async () => {
    const after = withAddress(TWO, "10.23.0.33");
    const drifts: [string, string][] = [
      ["of the link that changes", "ip link set eth0 mtu 1400"],
      ["of a route on it", "ip route delete default"],
      ["that is wanted already", "ip address add 10.23.0.33/24 dev eth0"],
    ];
    for (const [what, command] of drifts) {
      await inside(TWO, `${command}; sysctl -qw net.ipv6.conf.eth0.proxy_ndp=1`);
      await applied(after, { from: WANTED });
      expect({ what, left: await applied(after) }).toEqual({ what, left: [] });
      await applied(WANTED);
    }
    // A veth's other end lies in a namespace of which nothing else is wanted.
    await inside(HOST, "ip link delete vif2.0");
    const done = await applied(after, { from: WANTED });
    expect(done).toEqual(expect.arrayContaining(["host: link vif2.0: missing", "two: link eth0: missing"]));
    expect(await applied(after)).toEqual([]);
    await applied(WANTED);
  });

  test("switches are told to their driver, and what it makes is read", async () => {
    let made: Switch[] = [];
    const switches: SwitchDriver = {
      observe: async () => made,
      apply: async (_, __, wanted) => void (made = wanted),
    };
    const one: Switch = { name: "ovs0", ports: [{ link: "vif1.0", vlan: { trunk: [2, 3] }, guard: null }] };
    const switched = withHost((state) => (state.switches = [one]));
    expect(await applied(switched)).toEqual([]);
    expect(await applied(switched, { switches })).toEqual(["host: switch ovs0: missing"]);
    expect(made).toEqual([one]);
    expect(await applied(switched, { switches })).toEqual([]);
    made = [{ ...one, ports: [] }];
    expect(await applied(switched, { switches })).toHaveLength(1);
    expect(
      await applied(
        withHost((state) => (state.switches = [])),
        { switches },
      ),
    ).toEqual(["host: switch ovs0: not wanted"]);
    expect(made).toEqual([]);
  });

  test("for walks it is read what packets meet besides configuration", async () => {
    const like = structuredClone(WANTED);
    const leasing = like[ONE] ?? expect.fail(ONE);
    leasing.leased = ["eth0"];
    const look = async (namespace: string) =>
      (await observeNetwork(host, namespaces, { like, forWalk: true }))[namespace] ?? expect.fail(namespace);

    expect(await pings(ONE, "10.23.0.1")).toBe(true);
    const one = await look(ONE);
    expect(one.sysctls).toMatchObject({ "net.ipv4.ip_forward": "0", "net.ipv4.conf.eth0.rp_filter": "0" });
    expect(one.observed?.unmodelled).toEqual([]);
    expect(one.observed?.learned.map(({ address }) => address)).toContain("10.23.0.1");
    expect(one.addresses).toEqual([]);
    expect(one.observed?.leasedAddresses).toEqual(WANTED[ONE]?.addresses);
    expect(new Set(one.observed?.leasedRoutes)).toEqual(new Set(WANTED[ONE]?.routes));

    const before = await look(HOST);
    expect(before.observed?.unmodelled).toEqual([]);
    expect(before.sysctls["net.ipv4.conf.vif1/0.arp_ignore"]).toBe("1");
    expect(before.sysctls["net.ipv4.neigh.br0.proxy_delay"]).toBe("80");

    await inside(
      HOST,
      `ip rule add pref 100 from 10.0.0.0/8 lookup 5; ip rule delete pref 32767
       ip route add blackhole 10.77.0.0/16; ip route add 10.78.0.0/16 via 10.23.0.2 mtu 1300
       ip route add 10.79.0.0/16 nexthop via 10.23.0.2 nexthop via 10.23.0.3
       tc qdisc add dev vif1.0 clsact; tc filter add dev vif1.0 ingress u32 match u32 0 0 flowid 1:1
       tc qdisc add dev vif2.0 root htb; ip link set vif2.0 type bridge_slave learning off
       ip link add vxlan0 type vxlan id 7 dstport 4789 dev br0`,
    );
    const after = await look(HOST);
    expect(new Set(after.observed?.unmodelled.map(({ object }) => object))).toEqual(
      new Set([
        "ip rule 100: from 10.0.0.0/8 lookup 5",
        "ip rule 32767: missing",
        "route blackhole 10.77.0.0/16",
        "route 10.78.0.0/16: metrics",
        "route 10.79.0.0/16: multipath",
        "tc filter on vif1.0 ingress: u32",
        "tc qdisc htb on vif2.0",
        "link vif2.0: learning off",
        "link vxlan0 (vxlan)",
      ]),
    );
    expect(after.observed?.unmodelled).toContainEqual({
      object: "tc qdisc htb on vif2.0",
      bearsOn: { link: "vif2.0" },
    });
  });
});

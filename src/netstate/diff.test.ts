import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Address, Link, NamespaceState, NetworkState, Route, Switch } from "../model/network-state.ts";
import type { NftTable } from "../model/nft.ts";
import { formatChange, stageOf, type Change } from "./change.ts";
import { diffNetwork } from "./diff.ts";
import { newNamespaceState } from "./new-namespace.ts";

const NAMESPACES = ["a", "b", "c"];

function link(fields: Partial<Link> & { name: string }): Link {
  return { kind: "veth", up: true, mtu: 1500, mac: null, master: null, peer: null, rpsCpus: [], ...fields };
}

function table(policy: "accept" | "drop"): NftTable {
  const base = { type: "filter", hook: "forward", priority: 0, policy } as const;
  return { family: "inet", name: "cloison", sets: [], chains: [{ name: "forward", base, rules: [] }] };
}

function switchOf(links: string[]): Switch {
  return { name: "ovs0", ports: links.map((port) => ({ link: port, vlan: { access: 2 }, guard: null })) };
}

const pick = <T>(...values: T[]) => fc.constantFrom(...values);

/** A state that a kernel could be in: every veth's other end is there, masters are bridges, nothing stands on a missing link. */
const network: fc.Arbitrary<NetworkState> = fc
  .record({
    bridges: fc.uniqueArray(
      fc.record({ namespace: pick(...NAMESPACES), name: pick("br0", "br1"), mtu: pick(1400, 1500) }),
      {
        selector: ({ namespace, name }) => `${namespace} ${name}`,
        maxLength: 4,
      },
    ),
    // Names of ends are drawn from a pool without repetition and wired pairwise.
    ends: fc.shuffledSubarray(
      NAMESPACES.flatMap((namespace) => ["eth0", "eth1", "vif1.0"].map((name) => ({ namespace, name }))),
    ),
    looks: fc.array(
      fc.record({
        up: fc.boolean(),
        mtu: pick(1400, 1500),
        mac: pick(null, "02:00:00:00:00:01", "02:00:00:00:00:02"),
        isPort: fc.boolean(),
        isolated: fc.boolean(),
        shaping: pick(null, { rateBitsPerSecond: 1_000_000 }, { delayMs: 10 }),
        rpsCpus: pick([], [0], [0, 1]),
        addresses: fc.uniqueArray(pick("10.0.0.1", "10.0.0.2"), { maxLength: 2 }),
        route: pick(null, "default", "10.9.0.0/16"),
        via: pick(null, "10.0.0.1", "10.0.0.7"),
        neighbour: pick(null, { mac: "02:00:00:00:00:09", proxy: false }, { mac: null, proxy: true }),
      }),
      { minLength: 9, maxLength: 9 },
    ),
    sysctl: pick("0", "1"),
    table: pick(null, table("accept"), table("drop")),
    ports: pick(null, [], ["vif1.0"], ["vif1.0", "eth0"]),
  })
  .map(({ bridges, ends, looks, sysctl, table: own, ports }) => {
    const state: Record<string, NamespaceState> = Object.fromEntries(
      NAMESPACES.map((namespace): [string, NamespaceState] => [
        namespace,
        {
          ...newNamespaceState(),
          sysctls: { "net.ipv4.ip_forward": sysctl },
          tables: own === null ? {} : { "inet cloison": own },
          ...(ports === null ? {} : { switches: [switchOf(ports)] }),
        },
      ]),
    );
    for (const { namespace, name, mtu } of bridges) state[namespace]?.links.push(link({ name, kind: "bridge", mtu }));
    const wired = ends.slice(0, ends.length - (ends.length % 2));
    wired.forEach((end, i) => {
      const peer = wired[i % 2 === 0 ? i + 1 : i - 1];
      const look = looks[i];
      const into = state[end.namespace];
      if (peer === undefined || into === undefined || look === undefined) throw new Error("the generator is wrong");
      const { up, mtu, mac, isPort, rpsCpus, shaping } = look;
      const master = (isPort && into.links.find(({ kind }) => kind === "bridge")?.name) || null;
      into.links.push(
        link({
          name: end.name,
          peer,
          up,
          mtu,
          mac: mac ?? "02:00:00:00:00:00",
          master,
          rpsCpus,
          ...(shaping === null ? {} : { shaping }),
          ...(master !== null && look.isolated ? { isolated: true } : {}),
        }),
      );
      for (const address of look.addresses) into.addresses.push({ link: end.name, address, prefix: 24 });
      if (look.route !== null && !into.routes.some(({ destination }) => destination === look.route)) {
        into.routes.push({ destination: look.route, via: look.via, link: end.name });
      }
      if (look.neighbour !== null) into.neighbours.push({ link: end.name, address: "10.0.0.5", ...look.neighbour });
    });
    return state;
  });

/** What a kernel would have after the changes. Throws when one cannot be carried out where it stands in the list. */
function carryOut(observed: NetworkState, changes: readonly Change[]): NetworkState {
  const state = structuredClone(observed);
  for (const change of changes) {
    const into = (state[change.namespace] ??= newNamespaceState());
    const { namespace, name, kind } = change;
    const exists = (wanted: string | null) => wanted === null || into.links.some((present) => present.name === wanted);
    switch (change.object) {
      case "link": {
        if (kind === "remove") {
          removeEnd(state, namespace, name);
          break;
        }
        if (change.wanted === null || !exists(change.wanted.master))
          throw new Error(`${formatChange(change)}: too early`);
        if (exists(name) === (kind === "add")) throw new Error(`${formatChange(change)}: wrong kind`);
        into.links = [...into.links.filter((present) => present.name !== name), change.wanted];
        break;
      }
      case "address":
        into.addresses = replace<Address>(into.addresses, change, exists(change.wanted?.link ?? null), same);
        break;
      case "route":
        into.routes = replace<Route>(into.routes, change, exists(change.wanted?.link ?? null), same);
        break;
      case "neighbour":
        into.neighbours = replace(into.neighbours, change, exists(change.wanted?.link ?? null), same);
        break;
      case "sysctl":
        if (change.wanted !== null) into.sysctls[name] = change.wanted;
        break;
      case "table":
        if (change.wanted === null) delete into.tables[name];
        else into.tables[name] = change.wanted;
        break;
      case "switch": {
        into.switches = replace<Switch>(into.switches ?? [], change, true, same);
        if (into.switches.length === 0) delete into.switches;
        break;
      }
    }
  }
  return state;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function replace<T>(
  list: T[],
  { wanted, observed, kind }: { wanted: T | null; observed: T | null; kind: string },
  possible: boolean,
  isSame: (a: T, b: T) => boolean,
): T[] {
  if (!possible) throw new Error("stands on nothing");
  const rest = list.filter((entry) => observed === null || !isSame(entry, observed));
  if (rest.length < list.length !== (kind !== "add")) throw new Error(`${kind}: what is there says otherwise`);
  return wanted === null ? rest : [...rest, wanted];
}

/** With one end of a veth the other goes; with a link all that stands on it. Who is no port is no isolated one. */
function removeEnd(state: NetworkState, namespace: string, name: string): void {
  const into = state[namespace];
  const removed = into?.links.find((present) => present.name === name);
  if (into === undefined || removed === undefined) return;
  const remains = (entry: { link: string | null }) => entry.link !== name;
  into.links = into.links.filter((present) => present !== removed);
  into.links = into.links.map(({ isolated, ...port }) =>
    port.master === name ? { ...port, master: null } : { ...port, ...(isolated === undefined ? {} : { isolated }) },
  );
  into.addresses = into.addresses.filter(remains);
  into.routes = into.routes.filter(remains);
  into.neighbours = into.neighbours.filter(remains);
  if (removed.peer !== null) removeEnd(state, removed.peer.namespace, removed.peer.name);
}

/** Lists are sets; what nothing asked for stays as it was, which is the loopback. */
function normal(state: NetworkState): unknown {
  const asSet = (list: object[]) =>
    new Set(list.map((entry) => JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))));
  return Object.fromEntries(
    Object.entries(state).map(([namespace, { links, addresses, routes, neighbours, ...rest }]) => [
      namespace,
      {
        ...rest,
        links: asSet(links),
        addresses: asSet(addresses),
        routes: asSet(routes),
        neighbours: asSet(neighbours),
      },
    ]),
  );
}

describe("diffNetwork", () => {
  test("a state needs no change to become itself", () => {
    fc.assert(
      fc.property(network, (state) => {
        expect(diffNetwork(state, state)).toEqual([]);
      }),
    );
  });

  test("carried out in its order it makes what is observed what is wanted", () => {
    fc.assert(
      fc.property(network, network, (wanted, observed) => {
        const became = carryOut(observed, diffNetwork(wanted, observed));
        expect(diffNetwork(wanted, became)).toEqual([]);
        expect(normal(became)).toEqual(normal(wanted));
      }),
      { numRuns: 300 },
    );
  });

  test("it does not depend on the order of lists", () => {
    const reversed = (state: NetworkState): NetworkState =>
      Object.fromEntries(
        Object.entries(state)
          .toReversed()
          .map(([namespace, { links, addresses, routes, neighbours, ...rest }]) => [
            namespace,
            {
              ...rest,
              links: links.toReversed(),
              addresses: addresses.toReversed(),
              routes: routes.toReversed(),
              neighbours: neighbours.toReversed(),
            },
          ]),
      );
    fc.assert(
      fc.property(network, network, (wanted, observed) => {
        expect(diffNetwork(reversed(wanted), reversed(observed)).map(formatChange)).toEqual(
          diffNetwork(wanted, observed).map(formatChange),
        );
      }),
    );
  });

  test("a new namespace is filled from bridges to routes", () => {
    const wanted: NetworkState = {
      a: {
        ...newNamespaceState(),
        links: [
          link({ name: "lo", kind: "loopback", mtu: 65536 }),
          link({ name: "vif1.0", master: "xenbr0", peer: { namespace: "b", name: "eth0" } }),
          link({ name: "xenbr0", kind: "bridge" }),
        ],
        addresses: [{ link: "xenbr0", address: "10.0.0.1", prefix: 24 }],
        sysctls: { "net.ipv4.ip_forward": "1", "net.ipv4.conf.vif1/0.proxy_arp": "1" },
        tables: { "inet cloison": table("accept") },
      },
      b: {
        ...newNamespaceState(),
        links: [link({ name: "eth0", peer: { namespace: "a", name: "vif1.0" } })],
        routes: [{ destination: "default", via: "10.0.0.1", link: "eth0" }],
      },
    };
    expect(diffNetwork(wanted, {}).map((change) => `${stageOf(change)} ${formatChange(change)}`)).toEqual([
      "table a: table inet cloison: missing",
      "sysctl a: sysctl net.ipv4.ip_forward: missing",
      "add bridge a: link xenbr0: missing",
      "add link a: link vif1.0: missing",
      "add link b: link eth0: missing",
      "link sysctl a: sysctl net.ipv4.conf.vif1/0.proxy_arp: missing",
      "change link a: link lo: up false -> true",
      "address a: address 10.0.0.1/24 on xenbr0: missing",
      "route b: route default: missing",
    ]);
  });

  test("namespaces that are not wanted, sysctls that are not named and the loopback are left alone", () => {
    const wanted: NetworkState = { a: { ...newNamespaceState(), links: [] } };
    const observed: NetworkState = {
      a: { ...newNamespaceState(), sysctls: { "net.ipv4.ip_forward": "1" } },
      z: { ...newNamespaceState(), links: [link({ name: "eth0" })] },
    };
    expect(diffNetwork(wanted, observed)).toEqual([]);
  });

  test("what a DHCP client sets on a leased link is no drift; elsewhere it is", () => {
    const eth0 = link({ name: "eth0" });
    const observed: NetworkState = {
      a: {
        ...newNamespaceState(),
        links: [eth0],
        addresses: [{ link: "eth0", address: "10.0.0.5", prefix: 24 }],
        routes: [{ destination: "default", via: "10.0.0.1", link: "eth0" }],
      },
    };
    const wanted = { ...newNamespaceState(), links: [eth0] };
    expect(diffNetwork({ a: { ...wanted, leased: ["eth0"] } }, observed)).toEqual([]);
    expect(diffNetwork({ a: wanted }, observed).map(formatChange)).toEqual([
      "a: route default: not wanted",
      "a: address 10.0.0.5/24 on eth0: not wanted",
    ]);
  });

  test("a MAC that the plan leaves open is not compared, the CPUs are a set", () => {
    const have = link({ name: "eth0", mac: "02:00:00:00:00:01", rpsCpus: [1, 0] });
    const want = link({ name: "eth0", mac: null, rpsCpus: [0, 1] });
    const state = (one: Link): NetworkState => ({ a: { ...newNamespaceState(), links: [one] } });
    expect(diffNetwork(state(want), state(have))).toEqual([]);
    expect(diffNetwork(state(have), state(want)).map(formatChange)).toEqual([
      'a: link eth0: mac null -> "02:00:00:00:00:01", rpsCpus [0,1] -> [1,0]',
    ]);
  });

  test("a VLAN goes with its parent and comes after it; of another id it is made anew", () => {
    const state = (peer: string, id: number): NetworkState => ({
      a: {
        ...newNamespaceState(),
        links: [
          link({ name: "eth0.2", kind: "vlan", vlan: { parent: "eth0", id } }),
          link({ name: "eth0", peer: { namespace: peer, name: "eth0" } }),
        ],
        addresses: [{ link: "eth0.2", address: "10.0.0.5", prefix: 24 }],
      },
    });
    expect(diffNetwork(state("b", 2), state("c", 2)).map(formatChange)).toEqual([
      "a: link eth0: not wanted",
      "a: link eth0.2: not wanted",
      "a: link eth0: missing",
      "a: link eth0.2: missing",
      "a: address 10.0.0.5/24 on eth0.2: missing",
    ]);
    expect(diffNetwork(state("b", 2), state("b", 3)).map(formatChange)).toEqual([
      "a: link eth0.2: not wanted",
      "a: link eth0.2: missing",
      "a: address 10.0.0.5/24 on eth0.2: missing",
    ]);
  });

  test("links of Open vSwitch are its own to make and remove; ports of a switch are a set", () => {
    const local = link({ name: "ovs0", kind: "switch-port", up: false });
    const none: NetworkState = { a: newNamespaceState() };
    expect(diffNetwork(none, { a: { ...newNamespaceState(), links: [...newNamespaceState().links, local] } })).toEqual(
      [],
    );
    expect(diffNetwork({ a: { ...newNamespaceState(), links: [local] } }, none)).toEqual([]);
    const switched = (...links: string[]): NetworkState => ({
      a: { ...newNamespaceState(), switches: [switchOf(links)] },
    });
    expect(diffNetwork(switched("a", "b"), switched("b", "a"))).toEqual([]);
    expect(diffNetwork(switched("a"), switched("a", "b")).map(({ kind }) => kind)).toEqual(["change"]);
  });

  test("a veth whose other end is elsewhere is made anew, with what stands on it", () => {
    const state = (peer: string): NetworkState => ({
      a: {
        ...newNamespaceState(),
        links: [link({ name: "eth0", peer: { namespace: peer, name: "eth0" } })],
        addresses: [{ link: "eth0", address: "10.0.0.5", prefix: 24 }],
      },
    });
    expect(diffNetwork(state("b"), state("c")).map(formatChange)).toEqual([
      "a: link eth0: not wanted",
      "a: link eth0: missing",
      "a: address 10.0.0.5/24 on eth0: missing",
    ]);
  });
});

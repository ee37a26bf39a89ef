import { afterAll, beforeAll, expect, test } from "vitest";
import { createRealHost } from "../../src/host/real.ts";
import type { NetworkState } from "../../src/model/network-state.ts";
import type { NftStatement, NftTable } from "../../src/model/nft.ts";
import { applyNetwork } from "../../src/netstate/apply.ts";
import { canonicalTable } from "../../src/netstate/canonical-table.ts";
import { formatChange } from "../../src/netstate/change.ts";
import { newNamespaceState } from "../../src/netstate/new-namespace.ts";
import { observeNetwork } from "../../src/netstate/observe.ts";
import { needs } from "../needs.ts";

const NAMESPACE = `cloison.netstate-tables-${process.pid}`;

const meta = (key: string) => ({ meta: { key } });
const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const match = (left: unknown, op: string, right: unknown): NftStatement => ({ match: { op, left, right } });
const prefix = (addr: string, len: number) => ({ prefix: { addr, len } });
const ACCEPT = { accept: null };
const DROP = { drop: null };

/** Anti-spoofing as the plan does it: few rules over sets, elements named after domains. */
const GUARD: NftTable = {
  family: "bridge",
  name: "cloison-guard",
  sets: [
    { name: "vifs", type: "ifname", elements: [{ elem: { val: "vif2.0", comment: "apache2" } }, "vif1.0"] },
    {
      name: "macs",
      type: ["ifname", "ether_addr"],
      elements: [{ elem: { val: { concat: ["vif1.0", "00:16:3e:00:00:01"] }, comment: "apache1" } }],
    },
    {
      name: "addresses",
      type: ["ifname", "ipv4_addr"],
      elements: [{ concat: ["vif1.0", "10.0.0.1"] }, { concat: ["vif2.0", "10.0.0.2"] }],
    },
    { name: "empty", type: "ipv6_addr", elements: [] },
    {
      name: "subnets",
      type: "ipv4_addr",
      flags: ["interval"],
      elements: [{ range: ["192.168.1.1", "192.168.1.7"] }, prefix("10.0.0.0", 8), prefix("1.2.3.4", 32)],
    },
  ],
  chains: [
    {
      name: "prerouting",
      base: { type: "filter", hook: "prerouting", priority: -300, policy: "accept" },
      rules: [
        { expr: [match(meta("iifname"), "!=", "@vifs"), ACCEPT] },
        {
          comment: "spoofed MAC",
          expr: [match({ concat: [meta("iifname"), field("ether", "saddr")] }, "!=", "@macs"), { counter: null }, DROP],
        },
        {
          expr: [
            // nft adds this by itself, and lists it nowhere.
            match(field("ether", "type"), "==", "arp"),
            match({ concat: [meta("iifname"), field("arp", "saddr ip")] }, "!=", "@addresses"),
            DROP,
          ],
        },
        {
          expr: [
            match(field("ether", "type"), "==", "ip"),
            match(field("udp", "sport"), "==", 68),
            match(field("udp", "dport"), "==", 67),
            ACCEPT,
          ],
        },
        { expr: [match(field("ip", "saddr"), "==", "@subnets"), { jump: { target: "judge" } }] },
        { expr: [match(field("ether", "type"), "==", "ip6"), DROP] },
      ],
    },
    { name: "judge", base: null, rules: [{ expr: [{ counter: null }, DROP] }] },
  ],
};

const NAT: NftTable = {
  family: "inet",
  name: "cloison-nat",
  sets: [
    {
      name: "verdicts",
      type: "ifname",
      map: "verdict",
      elements: [
        ["eth1", DROP],
        ["eth0", { goto: { target: "inward" } }],
      ],
    },
  ],
  chains: [
    {
      name: "pre",
      base: { type: "nat", hook: "prerouting", priority: -100, policy: "accept" },
      rules: [
        {
          comment: "forward",
          expr: [
            match({ fib: { result: "type", flags: ["daddr"] } }, "==", "local"),
            match(field("tcp", "dport"), "==", 8081),
            { dnat: { family: "ip", addr: "192.168.1.3", port: 80 } },
          ],
        },
      ],
    },
    {
      name: "post",
      base: { type: "nat", hook: "postrouting", priority: 100, policy: "accept" },
      rules: [
        {
          expr: [
            match(field("ip", "saddr"), "==", prefix("192.168.1.0", 24)),
            match(field("ip", "daddr"), "!=", prefix("192.168.1.0", 24)),
            { masquerade: null },
          ],
        },
        { expr: [match({ ct: { key: "status" } }, "in", "dnat"), { masquerade: {} }] },
      ],
    },
    {
      name: "forward",
      base: { type: "filter", hook: "forward", priority: 0, policy: "drop" },
      rules: [
        { expr: [match({ ct: { key: "state" } }, "in", ["related", "established"]), ACCEPT] },
        { expr: [match({ fib: { result: "oif", flags: ["saddr", "iif"] } }, "==", false), DROP] },
        { expr: [match(field("tcp", "dport"), "==", { set: [443, 80] }), ACCEPT] },
        { expr: [match(meta("iifname"), "==", { set: ["eth7"] }), ACCEPT] },
        { expr: [match(meta("l4proto"), "==", "icmp"), match(field("icmp", "type"), "==", "echo-request"), ACCEPT] },
        {
          expr: [
            match(field("ip", "protocol"), "==", "icmp"),
            match(field("icmp", "type"), "==", "echo-reply"),
            ACCEPT,
          ],
        },
        { expr: [{ vmap: { key: meta("iifname"), data: "@verdicts" } }] },
        {
          expr: [
            {
              vmap: {
                key: meta("oifname"),
                data: {
                  set: [
                    ["b", DROP],
                    ["a", { jump: { target: "inward" } }],
                  ],
                },
              },
            },
          ],
        },
        { expr: [match(meta("l4proto"), "==", "tcp"), { reject: { type: "tcp reset" } }] },
        { expr: [{ reject: { type: "icmpx", expr: "admin-prohibited" } }] },
        {
          expr: [
            match(field("tcp", "dport"), "==", { range: [1, 1024] }),
            { log: { prefix: "hi" } },
            { limit: { rate: 5, per: "second" } },
            { reject: null },
          ],
        },
      ],
    },
    { name: "inward", base: null, rules: [{ expr: [{ counter: null }, { return: null }] }] },
  ],
};

const ARP: NftTable = {
  family: "arp",
  name: "cloison-arp",
  sets: [{ name: "senders", type: ["ifname", "ipv4_addr"], elements: [{ concat: ["vif1.0", "10.0.0.1"] }] }],
  chains: [
    {
      name: "input",
      base: { type: "filter", hook: "input", priority: 0, policy: "accept" },
      rules: [{ expr: [match({ concat: [meta("iifname"), field("arp", "saddr ip")] }, "!=", "@senders"), DROP] }],
    },
  ],
};

const HOOK = { type: "filter", priority: 0, policy: "accept" } as const;

/** Names in alphabetical order, as changes are listed. */
const TABLES = { "arp cloison-arp": ARP, "bridge cloison-guard": GUARD, "inet cloison-nat": NAT };

needs("root")("tables as data, on a real kernel", () => {
  const host = createRealHost();
  const wanted: NetworkState = { [NAMESPACE]: { ...newNamespaceState(), tables: TABLES } };
  const inside = (command: string) => host.processes.must({ argv: ["sh", "-ec", command], namespace: NAMESPACE });
  const repaired = async () =>
    (await applyNetwork(host, wanted)).map((change) => formatChange(change).replace(`${NAMESPACE}: `, ""));
  const observed = async () => {
    const state = (await observeNetwork(host, [NAMESPACE], { forWalk: true }))[NAMESPACE];
    return state ?? expect.fail("it was not observed");
  };

  beforeAll(async () => {
    await host.namespaces.create([NAMESPACE]);
    await applyNetwork(host, wanted, { fresh: [NAMESPACE] });
  });
  afterAll(async () => {
    await host.namespaces.remove([NAMESPACE]);
  });

  test("they are listed back equal, and a second apply does nothing", async () => {
    const { tables } = await observed();
    expect(Object.keys(tables).toSorted()).toEqual(Object.keys(TABLES));
    for (const [name, table] of Object.entries(TABLES)) {
      const listed = tables[name] ?? expect.fail(`${name} is not there`);
      expect(canonicalTable(listed)).toBe(canonicalTable(table));
    }
    expect(tables["bridge cloison-guard"]?.chains[0]?.rules[0]?.handle).toBeTypeOf("number");
    expect(await repaired()).toEqual([]);
  });

  test("every kind of drift is seen, told by its part, and repaired", async () => {
    const drifts = {
      "nft add element bridge cloison-guard vifs '{ \"vif9.0\" }'": "table bridge cloison-guard: set vifs differs",
      "nft delete element bridge cloison-guard addresses '{ \"vif2.0\" . 10.0.0.2 }'":
        "table bridge cloison-guard: set addresses differs",
      "nft flush chain inet cloison-nat inward": "table inet cloison-nat: chain inward differs",
      "nft insert rule inet cloison-nat forward accept": "table inet cloison-nat: chain forward differs",
      "nft chain inet cloison-nat forward '{ policy accept; }'": "table inet cloison-nat: chain forward differs",
      "nft add set inet cloison-nat more '{ type mark; }'": "table inet cloison-nat: set more differs",
      "nft delete table arp cloison-arp": "table arp cloison-arp: missing",
      "nft add table ip cloison-more": "table ip cloison-more: not wanted",
    };
    for (const [command, line] of Object.entries(drifts)) {
      await inside(command);
      expect({ command, done: await repaired() }).toEqual({ command, done: [line] });
      expect({ command, done: await repaired() }).toEqual({ command, done: [] });
    }
    await inside("nft add table inet cloison-nat '{ flags dormant; }'");
    expect((await repaired())[0]).toContain("table inet cloison-nat: ");
    expect(await repaired()).toEqual([]);
  });

  test("from a known state only elements and rules that differ are changed; what is otherwise is made right", async () => {
    const [vifs, macs, addresses, ...sets] = GUARD.sets;
    const [prerouting, judge] = GUARD.chains;
    if (vifs === undefined || macs === undefined || addresses === undefined) expect.fail("the guard has no sets");
    if (prerouting === undefined || judge === undefined) expect.fail("the guard has no chains");
    const rule = { comment: "one more", expr: [match(meta("iifname"), "==", "vif3.0"), DROP] };
    const variants: NftTable[] = [
      {
        ...GUARD,
        sets: [{ ...vifs, elements: [{ elem: { val: "vif2.0", comment: "other" } }] }, macs, addresses, ...sets],
      },
      { ...GUARD, sets: [vifs, macs, { ...addresses, elements: [{ concat: ["vif1.0", "10.0.0.9"] }] }, ...sets] },
      { ...GUARD, chains: [{ ...prerouting, rules: [...prerouting.rules, rule] }, judge] },
      { ...GUARD, chains: [prerouting, { ...judge, rules: [rule] }] },
      {
        ...GUARD,
        chains: [prerouting, judge, { ...prerouting, name: "out", base: { ...HOOK, hook: "output" }, rules: [rule] }],
      },
    ];
    const firstHandle = async () => (await observed()).tables["bridge cloison-guard"]?.chains[0]?.rules[0]?.handle;
    for (const [i, variant] of variants.entries()) {
      const handle = await firstHandle();
      const after = { [NAMESPACE]: { ...newNamespaceState(), tables: { ...TABLES, "bridge cloison-guard": variant } } };
      expect(await applyNetwork(host, after, { from: wanted })).toHaveLength(1);
      expect({ i, left: await applyNetwork(host, after) }).toEqual({ i, left: [] });
      expect({ i, handle: await firstHandle() }).toEqual({ i, handle });
      expect(await applyNetwork(host, wanted, { from: after })).toHaveLength(1);
      expect({ i, left: await repaired() }).toEqual({ i, left: [] });
    }
    const [fewer = GUARD] = variants;
    const after = { [NAMESPACE]: { ...newNamespaceState(), tables: { ...TABLES, "bridge cloison-guard": fewer } } };
    for (const command of [
      "nft delete element bridge cloison-guard vifs '{ \"vif1.0\" }'",
      "nft delete table bridge cloison-guard",
    ]) {
      await inside(command);
      await applyNetwork(host, after, { from: wanted });
      expect({ command, left: await applyNetwork(host, after) }).toEqual({ command, left: [] });
      await repaired();
    }
  });

  test("others' tables are told apart and stay", async () => {
    await inside(
      "nft add table ip foreign; nft add chain ip foreign in '{ type filter hook input priority 0; policy drop; }'",
    );
    expect(await repaired()).toEqual([]);
    const { tables, observed: seen } = await observed();
    expect(Object.keys(tables).toSorted()).toEqual(Object.keys(TABLES));
    const foreign = seen?.foreignTables ?? {};
    expect(Object.keys(foreign).toSorted()).toEqual(["ip foreign"]);
    expect(foreign["ip foreign"]?.chains[0]?.base).toEqual({
      type: "filter",
      hook: "input",
      priority: 0,
      policy: "drop",
    });
  });
});

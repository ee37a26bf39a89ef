import { describe, expect, test } from "vitest";
import type { NftFamily, NftSet, NftStatement, NftTable } from "../model/nft.ts";
import { canonicalTable, differingParts } from "./canonical-table.ts";

function table(expr: NftStatement[], family: NftFamily = "inet", sets: NftSet[] = []): NftTable {
  return { family, name: "cloison-x", sets, chains: [{ name: "c", base: null, rules: [{ expr }] }] };
}

const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const match = (left: unknown, right: unknown, op = "=="): NftStatement => ({ match: { op, left, right } });
const L4PROTO = { meta: { key: "l4proto" } };
const IIFNAME = { meta: { key: "iifname" } };
const DPORT = field("tcp", "dport");
const DNAT = { addr: "10.0.0.2", port: 80 };

/** What is written and what nft 1.0.6 or 1.1 lists of it; then what is not the same. */
const SAME: [string, NftStatement[], NftStatement[], NftFamily?][] = [
  ["a counter", [{ counter: null }], [{ counter: { packets: 7, bytes: 512 } }]],
  ["a set of one", [match(DPORT, { set: [80] })], [match(DPORT, 80)]],
  ["the order of a set", [match(DPORT, { set: [443, 80] })], [match(DPORT, { set: [80, 443] })]],
  [
    "a whole address",
    [match(field("ip", "saddr"), { prefix: { addr: "10.0.0.1", len: 32 } })],
    [match(field("ip", "saddr"), "10.0.0.1")],
  ],
  ["the default reject", [{ reject: null }], [{ reject: { type: "icmpx", expr: "port-unreachable" } }]],
  ["the default burst", [{ limit: { rate: 5, per: "second" } }], [{ limit: { rate: 5, burst: 5, per: "second" } }]],
  [
    "one flag",
    [match({ fib: { result: "type", flags: ["daddr"] } }, "local")],
    [match({ fib: { result: "type", flags: "daddr" } }, "local")],
  ],
  ["an implied protocol", [match(L4PROTO, "tcp"), match(DPORT, 80)], [match(DPORT, 80)]],
  [
    "an implied protocol in a concatenation",
    [match(field("ether", "type"), "arp"), match({ concat: [IIFNAME, field("arp", "saddr ip")] }, "@a", "!=")],
    [match({ concat: [IIFNAME, field("arp", "saddr ip")] }, "@a", "!=")],
  ],
  ["the family of a translation", [{ dnat: { family: "ip", ...DNAT } }], [{ dnat: DNAT }], "ip"],
  ["no options", [{ masquerade: {} }], [{ masquerade: null }]],
];
const DIFFERENT: [string, NftStatement[], NftStatement[]][] = [
  ["another operator", [match(DPORT, 80)], [match(DPORT, 80, "!=")]],
  ["the order of a range", [match(DPORT, { range: [1, 2] })], [match(DPORT, { range: [2, 1] })]],
  [
    "the order of a concatenation",
    [match({ concat: [IIFNAME, DPORT] }, "@a")],
    [match({ concat: [DPORT, IIFNAME] }, "@a")],
  ],
  [
    "verdicts the other way round",
    [
      {
        vmap: {
          key: IIFNAME,
          data: {
            set: [
              ["a", { drop: null }],
              ["b", { accept: null }],
            ],
          },
        },
      },
    ],
    [
      {
        vmap: {
          key: IIFNAME,
          data: {
            set: [
              ["a", { accept: null }],
              ["b", { drop: null }],
            ],
          },
        },
      },
    ],
  ],
  ["a protocol that no later match implies", [match(L4PROTO, "tcp"), { drop: null }], [{ drop: null }]],
  [
    "a protocol that is matched behind the verdict's other field",
    [match(L4PROTO, "udp"), match(DPORT, 80)],
    [match(DPORT, 80)],
  ],
  ["another reject", [{ reject: null }], [{ reject: { type: "tcp reset" } }]],
  ["another burst", [{ limit: { rate: 5, per: "second" } }], [{ limit: { rate: 5, burst: 9, per: "second" } }]],
  ["the order of statements", [{ log: null }, { drop: null }], [{ drop: null }, { log: null }]],
];

describe("canonical tables", () => {
  test.each(SAME)("the same: %s", (_, written, listed, family) => {
    expect(canonicalTable(table(written, family))).toBe(canonicalTable(table(listed, family)));
  });

  test.each(DIFFERENT)("not the same: %s", (_, a, b) => {
    expect(canonicalTable(table(a))).not.toBe(canonicalTable(table(b)));
    expect(differingParts(table(a), table(b))).toEqual(["chain c"]);
  });

  test("elements are a set, their comments count, what rules put into it does not", () => {
    const set = (elements: unknown[], flags?: string[]): NftTable =>
      table([], "inet", [{ name: "s", type: "ifname", ...(flags === undefined ? {} : { flags }), elements }]);
    expect(canonicalTable(set(["a", "b"]))).toBe(canonicalTable(set(["b", { elem: { val: "a" } }])));
    expect(canonicalTable(set(["a"]))).not.toBe(canonicalTable(set(["a", "b"])));
    expect(canonicalTable(set([{ elem: { val: "a", comment: "one" } }]))).not.toBe(canonicalTable(set(["a"])));
    expect(canonicalTable(set([], ["timeout"]))).toBe(canonicalTable(set(["a"], ["timeout"])));
    expect(differingParts(set(["a"]), set(["b"]))).toEqual(["set s"]);
  });

  test("handles are the kernel's; comments, hooks and policies are not", () => {
    const base = { type: "filter", hook: "input", priority: 0, policy: "accept" } as const;
    const of = (chain: Partial<NftTable["chains"][number]>): string =>
      canonicalTable({ ...table([]), chains: [{ name: "c", base, rules: [], ...chain }] });
    const rules = [{ expr: [{ drop: null }] }];
    expect(of({ rules: [{ handle: 7, expr: [{ drop: null }] }] })).toBe(of({ rules }));
    expect(of({ rules: [{ comment: "x", expr: [{ drop: null }] }] })).not.toBe(of({ rules }));
    expect(of({ base: { ...base, policy: "drop" } })).not.toBe(of({}));
    expect(of({ base: { ...base, priority: -300 } })).not.toBe(of({}));
    expect(of({ base: null })).not.toBe(of({}));
  });
});

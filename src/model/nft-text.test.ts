import { describe, expect, test } from "vitest";
import { nftElementText, nftRuleParts, nftRuleText } from "./nft-text.ts";
import type { NftRule } from "./nft.ts";

const meta = (key: string) => ({ meta: { key } });
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const match = (left: unknown, right: unknown, op = "==") => ({ match: { op, left, right } });

/** As nft 1.0.6 lists them in JSON, and as it lists the same rules in text. */
const RULES: [string, NftRule][] = [
  ["iifname != @vifs accept", { expr: [match(meta("iifname"), "@vifs", "!="), { accept: null }] }],
  [
    'iifname . ether saddr != @macs counter drop comment "apache1" # handle 6',
    {
      handle: 6,
      comment: "apache1",
      expr: [
        match({ concat: [meta("iifname"), payload("ether", "saddr")] }, "@macs", "!="),
        { counter: { packets: 0, bytes: 0 } },
        { drop: null },
      ],
    },
  ],
  [
    'iifname "eth0" tcp dport 8080 dnat ip to 192.168.1.2:80',
    {
      expr: [
        match(meta("iifname"), "eth0"),
        match(payload("tcp", "dport"), 8080),
        { dnat: { family: "ip", addr: "192.168.1.2", port: 80 } },
      ],
    },
  ],
  [
    "ip saddr 192.168.1.0/24 ip daddr != 192.168.1.0/24 masquerade",
    {
      expr: [
        match(payload("ip", "saddr"), { prefix: { addr: "192.168.1.0", len: 24 } }),
        match(payload("ip", "daddr"), { prefix: { addr: "192.168.1.0", len: 24 } }, "!="),
        { masquerade: null },
      ],
    },
  ],
  [
    "ct state established,related accept",
    { expr: [match({ ct: { key: "state" } }, ["established", "related"], "in"), { accept: null }] },
  ],
  [
    "fib daddr type local tcp dport { 80, 443 } accept",
    {
      expr: [
        match({ fib: { result: "type", flags: ["daddr"] } }, "local"),
        match(payload("tcp", "dport"), { set: [80, 443] }),
        { accept: null },
      ],
    },
  ],
  [
    "iifname vmap { a : jump x, b : drop }",
    {
      expr: [
        {
          vmap: {
            key: meta("iifname"),
            data: {
              set: [
                ["a", { jump: { target: "x" } }],
                ["b", { drop: null }],
              ],
            },
          },
        },
      ],
    },
  ],
  [
    "meta l4proto tcp reject with tcp reset",
    { expr: [match(meta("l4proto"), "tcp"), { reject: { type: "tcp reset" } }] },
  ],
  ["tcp dport 1-1024 return", { expr: [match(payload("tcp", "dport"), { range: [1, 1024] }), { return: null }] }],
  ['{"xt":{"type":"match","name":"owner"}} drop', { expr: [{ xt: { type: "match", name: "owner" } }, { drop: null }] }],
];

describe("nftables as text", () => {
  test.each(RULES)("%s", (text, rule) => {
    expect(nftRuleText(rule)).toBe(text);
  });

  test("elements of sets", () => {
    expect(nftElementText({ elem: { val: { concat: ["vif1.0", "10.0.0.1"] }, comment: "apache1" } })).toBe(
      'vif1.0 . 10.0.0.1 comment "apache1"',
    );
    expect(nftElementText("vif2.0")).toBe("vif2.0");
  });

  test("the columns of iptables", () => {
    const rule: NftRule = {
      comment: "out",
      expr: [
        match(meta("oifname"), "eth0"),
        match(payload("ip", "saddr"), "10.0.0.1", "!="),
        match(payload("tcp", "dport"), 80),
        { drop: null },
      ],
    };
    expect(nftRuleParts(rule)).toEqual({
      verdict: "drop",
      iifname: null,
      oifname: "eth0",
      source: "!10.0.0.1",
      destination: null,
      rest: "tcp dport 80 /* out */",
    });
  });
});
